"""Let a reader leave at once, and come back if they think better of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from subscribers import consent, signals
from subscribers.consent import NOWHERE, Origin
from subscribers.models import Consent, Event, Subscription
from subscribers.webhooks.emit import emit_of_reader

Status = Subscription.Status


def unsubscribe(
    *, subscription_id: int, origin: Origin = NOWHERE, seen: str = "", now: datetime
) -> bool:
    """End the subscription at once and record the withdrawal; `seen` as in consent.draft.

    Returns:
        Whether there was one to end: an unknown id, or leaving twice, changes nothing.
    """
    with transaction.atomic():
        # Also for the second of two clicks: whoever is answered first, what was planned is stopped.
        transaction.on_commit(
            lambda: signals.subscription_ended.send(
                sender=Subscription, subscription_id=subscription_id, now=now
            )
        )
        ended = Subscription.objects.filter(
            pk=subscription_id, status__in=[Status.PENDING, Status.ACTIVE]
        ).update(status=Status.UNSUBSCRIBED, ended_at=now, mail_due_at=None)
        if not ended:
            return False
        subscription = Subscription.objects.select_related("newsletter").get(pk=subscription_id)
        consent.record(
            subscription_id=subscription_id,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.WITHDRAWAL,
            origin=origin,
            seen=seen,
            now=now,
        )
        emit_of_reader(event=Event.UNSUBSCRIBED, subscription_id=subscription_id, now=now)
    return True


def say_why(*, subscription_id: int, why: str) -> bool:
    """Note why a reader has left, one of Subscription.EndReason; False where they have not."""
    left = Subscription.objects.filter(pk=subscription_id, status=Status.UNSUBSCRIBED)
    return bool(left.update(ended_why=why))
