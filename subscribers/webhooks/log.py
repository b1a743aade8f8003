"""Test webhooks, send their events again, and tell a reader which programs were notified."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.dispatch import receiver

from subscribers.models import Webhook, WebhookDelivery
from subscribers.models.webhooks import TEST_EVENT, new_secret
from subscribers.plumbing.queue import enqueue_named
from subscribers.signals import data_export_requested
from subscribers.webhooks.emit import SEND_TASK, build_payload, new_message_id

# How long the old secret signs beside the new one.
CHANGE_OVER = timedelta(hours=24)


def send_test_event(*, webhook_id: int, now: datetime) -> WebhookDelivery:
    """Make an event due that says only that it is a test; return its row."""
    delivery = WebhookDelivery.objects.create(
        webhook_id=webhook_id,
        event=TEST_EVENT,
        message_id=new_message_id(),
        payload=build_payload(event=TEST_EVENT, data={"message": "It works."}, now=now),
        next_attempt_at=now,
        created_at=now,
    )
    enqueue_named(SEND_TASK, webhook_id=webhook_id)
    return delivery


def resend(*, delivery_ids: Collection[int], now: datetime) -> int:
    """Make settled events due again, with a full number of attempts; return how many.

    They keep their id, so that a receiver can recognise an event that it already has.
    """
    settled = WebhookDelivery.objects.filter(
        pk__in=delivery_ids,
        state__in=[WebhookDelivery.State.DELIVERED, WebhookDelivery.State.FAILED],
    )
    webhooks = set(settled.values_list("webhook_id", flat=True))
    count = settled.update(
        state=WebhookDelivery.State.WAITING, attempts=0, next_attempt_at=now, settled_at=None
    )
    # An event that waits for its next attempt becomes due now.
    count += WebhookDelivery.objects.filter(
        pk__in=delivery_ids, state=WebhookDelivery.State.WAITING, next_attempt_at__gt=now
    ).update(next_attempt_at=now)
    for webhook_id in webhooks:
        enqueue_named(SEND_TASK, webhook_id=webhook_id)
    return count


def rotate_secret(*, webhook_id: int, now: datetime) -> None:
    """Sign with a new secret; for a day the old one signs too."""
    webhook = Webhook.objects.get(pk=webhook_id)
    Webhook.objects.filter(pk=webhook_id).update(
        secret=new_secret(), old_secret=webhook.secret, old_secret_until=now + CHANGE_OVER
    )


@receiver(data_export_requested)
def in_data_export(*, subscriber_id: int, **_: Any) -> dict[str, Any]:
    """Return which programs received events about a reader, and when.

    The other chapters of the data export hold what those events said.
    """
    deliveries = WebhookDelivery.objects.filter(subscriber=subscriber_id).order_by("-pk")
    rows = deliveries.values_list("created_at", "event", "webhook__name", "state")
    return {
        "told_to_other_programs": [
            {"at": at, "event": event, "program": name, "state": state}
            for at, event, name, state in rows
        ]
    }
