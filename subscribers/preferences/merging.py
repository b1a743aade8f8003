"""Make one reader of two who turned out to be the same person, and lose nothing of either."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import transaction

from subscribers import consent, signals
from subscribers.consent import Origin
from subscribers.models import AddressChange, Consent, Subscriber, Subscription, WebhookDelivery

Status = Subscription.Status
# Of two subscriptions to one newsletter the one further up goes on.
_RANK = {Status.UNSUBSCRIBED: 0, Status.PENDING: 1, Status.ACTIVE: 2}


class Merged(NamedTuple):
    """The reader who is left over, if any, and which subscriptions ended for another's sake."""

    left: Subscriber | None
    ended: list[Subscription]


def merge(*, reader: Subscriber, other: Subscriber, origin: Origin, now: datetime) -> Merged:
    """Give the reader what the other subscribed to. Call it in a transaction, with both locked.

    Where both subscribed to a newsletter, the one that is active goes on, the reader's own before
    the other's. The one that does not stays with `other`, ended, with its ledger and what was sent
    to it; `moved_to` leads its old links, and whoever erases the reader, to the right place.

    Returns:
        The other, if anything is left with them, and what ended just now.
    """
    ended = []
    both = Subscription.objects.select_for_update(of=("self",)).select_related("newsletter")
    own = {found.newsletter_id: found for found in both.filter(subscriber=reader).order_by("pk")}
    for theirs in both.filter(subscriber=other).order_by("pk"):
        mine = own.get(theirs.newsletter_id)
        if mine is None:
            _hand_over(theirs, reader, origin=origin, now=now)
            continue
        if _RANK[Status(theirs.status)] > _RANK[Status(mine.status)]:
            _exchange(mine, theirs)
            mine, theirs = theirs, mine
        if _end(theirs, in_favour_of=mine, origin=origin, now=now):
            ended.append(theirs)
    _fill_in(reader, other)
    other.address_changes.filter(status=AddressChange.Status.OPEN).update(
        status=AddressChange.Status.DROPPED, ended_at=now
    )
    # What was told, or waits to be told, of the other is of this reader.
    WebhookDelivery.objects.filter(subscriber=other).update(subscriber=reader)
    if other.subscriptions.exists():
        return Merged(other, ended)
    # Their links then say that they are too old, not that there never were any.
    other.address_changes.update(subscriber=reader)
    other.delete()
    return Merged(None, ended)


def _hand_over(
    subscription: Subscription, reader: Subscriber, *, origin: Origin, now: datetime
) -> None:
    before, subscription.subscriber = subscription.subscriber_id, reader
    subscription.save(update_fields=["subscriber"])
    details = {"reader": {"from": before, "to": reader.pk}}
    _record(subscription, details, origin=origin, now=now)


def _exchange(mine: Subscription, theirs: Subscription) -> None:
    """Let each be the other reader's. By way of a third: the two may not meet under one reader."""
    me, them = mine.subscriber_id, theirs.subscriber_id
    nobody = nobodys_address(theirs.pk)
    between = Subscriber.objects.create(email=nobody, email_key=nobody)
    for subscription, reader_id in ((theirs, between.pk), (mine, them), (theirs, me)):
        subscription.subscriber_id = reader_id
        subscription.save(update_fields=["subscriber"])
    between.delete()


def nobodys_address(number: int) -> str:
    """An address that no mail ever goes to (RFC 2606), for a moment."""
    return f"moving-{number}@erased.invalid"


def _end(
    subscription: Subscription, *, in_favour_of: Subscription, origin: Origin, now: datetime
) -> bool:
    """End it, unless it had ended before; whether it had not."""
    before = subscription.status
    if before != Status.UNSUBSCRIBED:
        subscription.status, subscription.ended_at = Status.UNSUBSCRIBED, now
        ended = partial(signals.subscription_ended.send, sender=Subscription, now=now)
        transaction.on_commit(partial(ended, subscription_id=subscription.pk))
    subscription.moved_to, subscription.mail_due_at = in_favour_of, None
    subscription.save(update_fields=["status", "ended_at", "moved_to", "mail_due_at"])
    details = {
        "status": {"from": before, "to": str(Status.UNSUBSCRIBED)},
        "moved_to": {"from": None, "to": in_favour_of.pk},
    }
    _record(subscription, details, origin=origin, now=now)
    return before != Status.UNSUBSCRIBED


def _fill_in(reader: Subscriber, other: Subscriber) -> None:
    """What the reader left open is as the other has it."""
    for field in ("name", "language", "timezone"):
        setattr(reader, field, getattr(reader, field) or getattr(other, field))
    reader.save(update_fields=["name", "language", "timezone"])


def _record(
    subscription: Subscription, details: Mapping[str, object], *, origin: Origin, now: datetime
) -> None:
    consent.record(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=Consent.Kind.CHANGE,
        origin=origin,
        details=details,
        now=now,
    )
