"""Tell other programs to forget a reader who is erased, and then purge the events about them.

All events of an erased reader are deleted, except those that say that the reader left and have not
arrived yet. Without such an event, a program that got an event about the reader would keep them
permanently; so would a program that only got the event that they left. The event holds the
address, by which the program knows the reader, and nothing else of the person. Once it has arrived,
the address is removed from it. If it never arrives, it is kept for a month (`retention`), so that
the admin can send it again.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db.models import QuerySet
from django.dispatch import receiver

from subscribers.models import Event, Subscription, WebhookAttempt, WebhookDelivery
from subscribers.signals import subscriber_erased
from subscribers.webhooks.emit import emit, subscription_data

_State = WebhookDelivery.State
_NOT_DELIVERED = (_State.WAITING, _State.FAILED)
# What an event says of a subscription once its reader is erased.
_BLANK: dict[str, object] = {
    "name": "",
    "language": "",
    "frequency": str(Subscription.Frequency.DAILY),
    "muted_sections": [],
}


def notify_erased(*, subscription_id: int, email: str, now: datetime) -> None:
    """Store an event that the subscription's reader, whose row is empty now, was erased.

    This is also done for a subscription that had ended before: a program that was told of the end
    may have kept the address to recognise the reader (GDPR, article 19). If the event of that end
    still waits, it says itself that the reader is erased, and no second event is stored.
    """
    waiting = WebhookDelivery.objects.filter(
        event=Event.UNSUBSCRIBED,
        state=_State.WAITING,
        subscriber__subscriptions=subscription_id,
    )
    notified = [
        row.webhook_id
        for row in waiting
        if json.loads(row.payload)["data"]["subscription"]["id"] == subscription_id
    ]
    subscription = Subscription.objects.select_related("subscriber", "newsletter").get(
        pk=subscription_id
    )
    emit(
        event=Event.UNSUBSCRIBED,
        data={"subscription": subscription_data(subscription) | {"email": email}, "erased": True},
        newsletter_id=subscription.newsletter_id,
        subscriber_id=subscription.subscriber_id,
        exclude=notified,
        now=now,
    )


def notify_purged(subscription: Subscription, *, now: datetime) -> None:
    """Store an event that an unconfirmed sign-up is about to be deleted, with its reader.

    A program that was told of the sign-up knows its id, so the address is not sent once more.
    """
    ended = subscription_data(subscription) | _BLANK | {"email": "", "ended_at": now.isoformat()}
    emit(
        event=Event.UNSUBSCRIBED,
        data={
            "subscription": ended | {"status": str(Subscription.Status.UNSUBSCRIBED)},
            "erased": True,
        },
        newsletter_id=subscription.newsletter_id,
        now=now,
    )


@receiver(subscriber_erased)
def purge_reader(*, subscriber_id: int, **_: object) -> None:
    """Delete the events about a reader.

    Events that say that the reader left, and have not arrived, are kept without personal data.
    """
    theirs = WebhookDelivery.objects.filter(subscriber_id=subscriber_id)
    undelivered = theirs.filter(event=Event.UNSUBSCRIBED, state__in=_NOT_DELIVERED)
    kept = list(undelivered.select_for_update().order_by("pk"))
    for delivery in kept:
        _blank(delivery, _BLANK)
    theirs.exclude(pk__in=[delivery.pk for delivery in kept]).delete()


def anonymise_delivered(*, delivery_id: int) -> None:
    """Remove the address of an erased reader from an event that has arrived."""
    found = WebhookDelivery.objects.filter(pk=delivery_id, subscriber__erased_at__isnull=False)
    if delivery := found.first():
        _blank(delivery, _BLANK | {"email": ""})


def undelivered_about_erased(before: datetime) -> QuerySet[WebhookDelivery]:
    """Return the undelivered events that are older than `before`, as is the reader's erasure."""
    return WebhookDelivery.objects.filter(
        event=Event.UNSUBSCRIBED,
        state__in=_NOT_DELIVERED,
        created_at__lt=before,
        subscriber__erased_at__lt=before,
    )


def _blank(delivery: WebhookDelivery, blank: dict[str, object]) -> None:
    payload = json.loads(delivery.payload)
    payload["data"]["subscription"] |= blank
    payload["data"]["erased"] = True
    delivery.payload = json.dumps(payload, ensure_ascii=True)
    delivery.save(update_fields=["payload"])
    # Receivers often repeat in their answers what they were told.
    WebhookAttempt.objects.filter(delivery=delivery).update(answer="")
