"""Merge two readers who turned out to be the same person, and lose no data of either."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import transaction

from subscribers import signals
from subscribers.consent.record import Origin, record_consent
from subscribers.models import AddressChange, Consent, Subscriber, Subscription, WebhookDelivery

Status = Subscription.Status
# Of two subscriptions to one newsletter, the one with the higher rank continues.
_RANK = {Status.UNSUBSCRIBED: 0, Status.PENDING: 1, Status.ACTIVE: 2}


class Merged(NamedTuple):
    """The other reader, if subscriptions are left with them, and the subscriptions that ended."""

    remaining: Subscriber | None
    ended: list[Subscription]


def merge(*, reader: Subscriber, other: Subscriber, origin: Origin, now: datetime) -> Merged:
    """Give the reader what the other subscribed to. Call it in a transaction, with both locked.

    If both subscribed to a newsletter, the active subscription continues; if both are equal, the
    reader's own one does. The one that does not continue ends. It stays with `other`, together with
    its ledger and what was sent to it. Its `moved_to` leads old links, and an erasure of the
    reader, to the right place.

    Returns:
        The other, if any subscription is left with them, and the subscriptions that ended just now.
    """
    ended = []
    locked = Subscription.objects.select_for_update(of=("self",)).select_related("newsletter")
    own = {found.newsletter_id: found for found in locked.filter(subscriber=reader).order_by("pk")}
    for theirs in locked.filter(subscriber=other).order_by("pk"):
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
    # Events about the other, sent or waiting, are about this reader from now on.
    WebhookDelivery.objects.filter(subscriber=other).update(subscriber=reader)
    if other.subscriptions.exists():
        return Merged(other, ended)
    # The links of these changes then say that they are too old, not that they never existed.
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
    """Swap the readers of two subscriptions to one newsletter.

    This goes by way of a third reader, because one reader may not have both at the same time.
    """
    me, them = mine.subscriber_id, theirs.subscriber_id
    placeholder = placeholder_address(theirs.pk)
    temporary = Subscriber.objects.create(email=placeholder, email_key=placeholder)
    for subscription, reader_id in ((theirs, temporary.pk), (mine, them), (theirs, me)):
        subscription.subscriber_id = reader_id
        subscription.save(update_fields=["subscriber"])
    temporary.delete()


def placeholder_address(number: int) -> str:
    """Return an address for temporary use, to which no mail ever goes (RFC 2606)."""
    return f"moving-{number}@erased.invalid"


def _end(
    subscription: Subscription, *, in_favour_of: Subscription, origin: Origin, now: datetime
) -> bool:
    """End the subscription in favour of the other; return whether it was still running."""
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
    """Fill the reader's empty fields from the other."""
    for field in ("name", "language", "timezone"):
        setattr(reader, field, getattr(reader, field) or getattr(other, field))
    reader.save(update_fields=["name", "language", "timezone"])


def _record(
    subscription: Subscription, details: Mapping[str, object], *, origin: Origin, now: datetime
) -> None:
    record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=Consent.Kind.CHANGE,
        origin=origin,
        details=details,
        now=now,
    )
