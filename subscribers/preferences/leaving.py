"""Let a reader leave immediately, say why, and come back if they change their mind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from subscribers import signals, signed_links
from subscribers.consent.record import NO_ORIGIN, Origin, record_consent
from subscribers.models import Consent, Event, Subscription
from subscribers.preferences.choices import (
    Choices,
    check_frequency,
    check_pause,
    ledger_time,
    pause,
    set_choices,
)
from subscribers.preferences.locks import lock_readers
from subscribers.signup import flow
from subscribers.webhooks.emit import emit_for_subscription

Status = Subscription.Status


def unsubscribe(
    *, subscription_id: int, origin: Origin = NO_ORIGIN, seen: str = "", now: datetime
) -> bool:
    """End the subscription immediately and record the withdrawal; `seen` is as in `record_consent`.

    Returns:
        Whether there was one to end: an unknown id, or leaving twice, changes nothing.
    """
    with transaction.atomic():
        # This is also sent for the second of two clicks: whichever is answered first, the planned
        # deliveries are stopped by then.
        transaction.on_commit(
            partial(
                signals.subscription_ended.send,
                sender=Subscription,
                subscription_id=subscription_id,
                now=now,
            )
        )
        subscription = (
            Subscription.objects.select_for_update(of=("self",))
            .select_related("newsletter")
            .filter(pk=subscription_id, status__in=[Status.PENDING, Status.ACTIVE])
            .first()
        )
        if subscription is None:
            return False
        _end(subscription, now)
        record_consent(
            subscription_id=subscription_id,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.WITHDRAWAL,
            origin=origin,
            details=_status_change(subscription.status, Status.UNSUBSCRIBED),
            seen=seen,
            now=now,
        )
        emit_for_subscription(event=Event.UNSUBSCRIBED, subscription_id=subscription_id, now=now)
    return True


def _end(subscription: Subscription, now: datetime) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(
        status=Status.UNSUBSCRIBED, ended_at=now, ended_why="", mail_due_at=None, moved_to=None
    )


def set_end_reason(
    *, subscription_id: int, reason: str, seen: str, origin: Origin = NO_ORIGIN, now: datetime
) -> bool:
    """Store the reason that a reader gives for leaving; they may change it later.

    Args:
        reason: one of Subscription.EndReason.
        seen: the question and the answer as the reader read them.

    Returns:
        Whether the reason changed. For a reader who has not left, nothing changes.
    """
    with transaction.atomic():
        subscription = _lock(subscription_id).filter(status=Status.UNSUBSCRIBED).first()
        if subscription is None or subscription.ended_why == reason:
            return False
        before, subscription.ended_why = subscription.ended_why, reason
        subscription.save(update_fields=["ended_why"])
        record_consent(
            subscription_id=subscription_id,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.CHANGE,
            origin=origin,
            details={"ended_why": {"from": before, "to": reason}},
            seen=seen,
            now=now,
        )
    return True


def resubscribe(
    *,
    subscription_id: int,
    token: str,
    seen: str,
    frequency: str = "",
    paused_until: datetime | None = None,
    origin: Origin = NO_ORIGIN,
    now: datetime,
) -> bool:
    """Take back a reader who left, with fewer mails or after a pause if they ask for it.

    This takes effect immediately with the `resubscribe_token` of the page on which they left.
    Otherwise a mail asks the reader to confirm, because a link from an old mail must not bring back
    somebody who wants to be gone. The second of two clicks is answered as the first was.

    Args:
        seen: the sentence on the button.

    Returns:
        Whether they are active now; if not, the mail to confirm is on its way.

    Raises:
        BadPause, FrequencyNotOffered
        Subscription.DoesNotExist: the reader has been erased.
    """
    check_pause(paused_until, now=now)
    with transaction.atomic():
        # This locks all subscriptions of the reader, because signing up again locks them too.
        reader = Subscription.objects.filter(pk=subscription_id).values("subscriber")
        lock_readers(Q(pk__in=reader))
        subscription = _lock(subscription_id).get()
        if subscription.status == Status.ACTIVE:
            return True
        check_frequency(subscription, frequency)
        if not _may_resubscribe(subscription, token, now=now):
            _ask_to_confirm(subscription, frequency, paused_until, origin=origin, now=now)
            return False
        _reactivate(subscription, frequency, paused_until, seen=seen, origin=origin, now=now)
    return True


def _lock(subscription_id: int) -> QuerySet[Subscription]:
    return (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .filter(pk=subscription_id, subscriber__erased_at=None)
    )


def _may_resubscribe(subscription: Subscription, token: str, *, now: datetime) -> bool:
    """Return whether the token is of this withdrawal, and the subscription was active before it."""
    if subscription.status != Status.UNSUBSCRIBED:
        return False
    try:
        link = signed_links.read_resubscribe(token, now=now)
    except signed_links.BadToken:
        return False
    if (link.subscription_id, link.generation) != (subscription.pk, subscription.generation):
        return False
    last = subscription.consents.filter(kind=Consent.Kind.WITHDRAWAL).order_by("-pk").first()
    return last is not None and last.details.get("status", {}).get("from") == Status.ACTIVE


def _reactivate(
    subscription: Subscription,
    frequency: str,
    paused_until: datetime | None,
    *,
    seen: str,
    origin: Origin,
    now: datetime,
) -> None:
    details = _status_change(Status.UNSUBSCRIBED, Status.ACTIVE)
    details["paused_until"] = {
        "from": ledger_time(subscription.paused_until),
        "to": ledger_time(paused_until),
    }
    if frequency:
        details["frequency"] = {"from": subscription.frequency, "to": frequency}
    Subscription.objects.filter(pk=subscription.pk).update(
        status=Status.ACTIVE,
        # So each withdrawal has a resubscribe token of its own.
        generation=subscription.generation + 1,
        frequency=frequency or subscription.frequency,
        paused_until=paused_until,
        ended_at=None,
        ended_why="",
    )
    record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=Consent.Kind.CONFIRMATION,
        origin=origin,
        details=details,
        seen=seen,
        now=now,
    )
    emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=now)
    transaction.on_commit(
        partial(
            signals.subscription_confirmed.send,
            sender=Subscription,
            subscription_id=subscription.pk,
            now=now,
        )
    )


def _ask_to_confirm(
    subscription: Subscription,
    frequency: str,
    paused_until: datetime | None,
    *,
    origin: Origin,
    now: datetime,
) -> None:
    flow.request_fresh_link(subscription_id=subscription.pk, origin=origin, now=now)
    if frequency:
        current = Choices.of(subscription)
        choices = replace(current, frequency=frequency)
        set_choices(subscription_id=subscription.pk, choices=choices, origin=origin, now=now)
    if paused_until:
        pause(subscription_ids=[subscription.pk], until=paused_until, origin=origin, now=now)


def _status_change(before: str, after: str) -> dict[str, dict[str, str | None]]:
    return {"status": {"from": str(before), "to": str(after)}}
