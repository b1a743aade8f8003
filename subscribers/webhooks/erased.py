"""Tell other programs to forget a reader who is erased, and then forget what they were told.

An erased reader's events are deleted, but for that they left where it has yet to be told: a
program that was told of them would keep them for good, also one that was told that they left. Such
an event holds the address, by which the program knows them, and nothing else of the person. Once it
has arrived the address goes from it; what never arrives is kept for KEPT, so that the desk can send
it again.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.dispatch import receiver

from subscribers.models import Event, Subscription, WebhookAttempt, WebhookDelivery
from subscribers.signals import subscriber_erased
from subscribers.webhooks.emit import emit, of_subscription

KEPT = timedelta(days=30)

_State = WebhookDelivery.State
_UNTOLD = (_State.WAITING, _State.FAILED)
# What an event says of a subscription once its reader wants to be forgotten.
_BLANK: dict[str, object] = {
    "name": "",
    "language": "",
    "frequency": str(Subscription.Frequency.DAILY),
    "muted_sections": [],
}


def tell(*, subscription_id: int, email: str, now: datetime) -> None:
    """Note that a subscription's reader, whose row is empty now, was erased.

    Also of one that had ended before: who was told of that may have kept the address to know the
    reader again (article 19). Where that still waits to be told, it says so itself.
    """
    waiting = WebhookDelivery.objects.filter(
        event=Event.UNSUBSCRIBED,
        state=_State.WAITING,
        subscriber__subscriptions=subscription_id,
    )
    told = [
        row.webhook_id
        for row in waiting
        if json.loads(row.payload)["data"]["subscription"]["id"] == subscription_id
    ]
    subscription = Subscription.objects.select_related("subscriber", "newsletter").get(
        pk=subscription_id
    )
    emit(
        event=Event.UNSUBSCRIBED,
        data={"subscription": of_subscription(subscription) | {"email": email}, "erased": True},
        newsletter_id=subscription.newsletter_id,
        subscriber_id=subscription.subscriber_id,
        but=told,
        now=now,
    )


def tell_of_forgotten(subscription: Subscription, *, now: datetime) -> None:
    """Note that a sign-up which nobody confirmed is about to be deleted, with its reader.

    Who was told of it knows it by its id: the address need not be said once more.
    """
    ended = of_subscription(subscription) | _BLANK | {"email": "", "ended_at": now.isoformat()}
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
def forget_reader(*, subscriber_id: int, **_: object) -> None:
    """Delete what was written down about a reader, with who it was told to."""
    theirs = WebhookDelivery.objects.filter(subscriber_id=subscriber_id)
    untold = theirs.filter(event=Event.UNSUBSCRIBED, state__in=_UNTOLD)
    kept = list(untold.select_for_update().order_by("pk"))
    for delivery in kept:
        _blank(delivery, _BLANK)
    theirs.exclude(pk__in=[delivery.pk for delivery in kept]).delete()


def once_told(*, delivery_id: int) -> None:
    """Take the address of an erased reader out of an event that has arrived."""
    found = WebhookDelivery.objects.filter(pk=delivery_id, subscriber__erased_at__isnull=False)
    if delivery := found.first():
        _blank(delivery, _BLANK | {"email": ""})


def forget_untold(*, now: datetime) -> bool:
    """Delete what has not arrived for so long, however long the log is kept otherwise.

    A step of `retention`, which never has its hands full.
    """
    before = now - KEPT
    WebhookDelivery.objects.filter(
        event=Event.UNSUBSCRIBED,
        state__in=_UNTOLD,
        created_at__lt=before,
        subscriber__erased_at__lt=before,
    ).delete()
    return False


def _blank(delivery: WebhookDelivery, blank: dict[str, object]) -> None:
    told = json.loads(delivery.payload)
    told["data"]["subscription"] |= blank
    told["data"]["erased"] = True
    delivery.payload = json.dumps(told, ensure_ascii=True)
    delivery.save(update_fields=["payload"])
    # Receivers like to repeat what they were told.
    WebhookAttempt.objects.filter(delivery=delivery).update(answer="")
