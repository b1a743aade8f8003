"""Take a reader from an address in a form to a confirmed subscription."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from subscribers import abuse, consent, signals, suppression, tasks, tokens
from subscribers.abuse.attempt import Attempt, judge
from subscribers.addresses import compare_key, normalise
from subscribers.consent import Origin
from subscribers.models import Consent, Event, Newsletter, Subscriber, Subscription
from subscribers.queue import enqueue
from subscribers.webhooks.emit import emit_of_reader

Status = Subscription.Status
NOTHING_SHOWN = Attempt()


@dataclass(frozen=True)
class Confirmed:
    """What a confirmation came to; `again` when it had been confirmed before."""

    subscription: Subscription
    again: bool


def sign_up(
    *,
    newsletter: Newsletter,
    email: str,
    origin: Origin,
    attempt: Attempt = NOTHING_SHOWN,
    now: datetime,
) -> None:
    """Store a pending subscription and the intention to mail its confirmation link.

    It answers nothing, and does about the same work for a new, a known and a suppressed address,
    so that nobody can ask who reads us: whether a mail goes out, and which, is decided when it is
    sent (subscribers.confirmation).

    Raises:
        BadAddress: the address cannot be written to, or is questionable (`may_insist`).
        ChallengeNeeded: many sign up now; once more, with a solution.
    """
    address = normalise(email)
    if not judge(attempt, now=now) or not abuse.network_allowed(origin.ip_address):
        return
    with transaction.atomic():
        subscriber, _ = Subscriber.objects.get_or_create(
            email_key=compare_key(address), defaults={"email": address, "created_at": now}
        )
        subscription, _ = Subscription.objects.get_or_create(
            subscriber=subscriber, newsletter=newsletter, defaults={"created_at": now}
        )
        _ask_to_confirm(subscription.pk, origin=origin, now=now)


def request_fresh_link(*, subscription_id: int, origin: Origin, now: datetime) -> Subscription:
    """Do what signing up again would do, for the holder of an expired link.

    Raises:
        Subscription.DoesNotExist: it has been erased.
    """
    with transaction.atomic():
        return _ask_to_confirm(subscription_id, origin=origin, now=now)


def _ask_to_confirm(subscription_id: int, *, origin: Origin, now: datetime) -> Subscription:
    """Make a mail due, unless one is or just went; one sign-up at a time for one subscription."""
    subscription = (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .get(pk=subscription_id)
    )
    due_at = abuse.mail_allowed_at(subscription, now=now)
    if due_at is not None:
        if subscription.status == Status.UNSUBSCRIBED:
            # Links from before leaving must not bring the reader back.
            subscription.status = Status.PENDING
            subscription.generation += 1
        subscription.mail_due_at = due_at
        subscription.save(update_fields=["status", "generation", "mail_due_at"])
        consent.record(
            subscription_id=subscription.pk,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.SIGNUP,
            origin=origin,
            now=now,
        )
        if subscription.status == Status.PENDING:
            emit_of_reader(event=Event.SUBSCRIBED, subscription_id=subscription.pk, now=now)
    enqueue(tasks.send_confirmation, subscription_id=subscription.pk)
    return subscription


def confirm(*, token: str, origin: Origin, now: datetime) -> Confirmed:
    """Make the subscription that the link stands for active; a second time is harmless.

    Raises:
        BadToken: not a link of ours, or of a subscription that has been erased.
        ExpiredToken: too old, or of an earlier sign-up than the newest.
    """
    subscription = find(token=token, now=now)
    with transaction.atomic():
        confirmed = Subscription.objects.filter(
            pk=subscription.pk, status=Status.PENDING, generation=subscription.generation
        ).update(status=Status.ACTIVE, confirmed_at=now, ended_at=None, mail_due_at=None)
        subscription.refresh_from_db(fields=["status", "confirmed_at"])
        if not confirmed:
            if subscription.status != Status.ACTIVE:
                raise tokens.ExpiredToken(subscription_id=subscription.pk)
            return Confirmed(subscription=subscription, again=True)
        suppression.lift_erasure(subscription.subscriber.email)
        consent.record(
            subscription_id=subscription.pk,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.CONFIRMATION,
            origin=origin,
            now=now,
        )
        emit_of_reader(event=Event.CONFIRMED, subscription_id=subscription.pk, now=now)
        transaction.on_commit(
            lambda: signals.subscription_confirmed.send(
                sender=Subscription, subscription_id=subscription.pk, now=now
            )
        )
    return Confirmed(subscription=subscription, again=False)


def find(*, token: str, now: datetime) -> Subscription:
    """Return the subscription that a confirmation link stands for; changes nothing.

    An active one is found by any link of its own, however old: there is nothing left to confirm.

    Raises:
        BadToken, ExpiredToken: as in `confirm`.
    """
    expired: tokens.ExpiredToken | None = None
    generation = None
    try:
        read = tokens.read_confirm(token, now=now)
        subscription_id, generation = read.subscription_id, read.generation
    except tokens.ExpiredToken as error:
        expired, subscription_id = error, error.subscription_id
    subscription = (
        Subscription.objects.select_related("newsletter", "subscriber")
        .filter(pk=subscription_id, subscriber__erased_at=None)
        .first()
    )
    if subscription is None:
        raise tokens.BadToken
    if subscription.status == Status.ACTIVE:
        return subscription
    if expired or generation != subscription.generation or subscription.status != Status.PENDING:
        raise expired or tokens.ExpiredToken(subscription_id=subscription.pk)
    return subscription
