"""Wire the clock and the queue to the subscribers app."""

from __future__ import annotations

from celery import shared_task
from django.utils.timezone import now

from subscribers import confirmation
from subscribers.queue import enqueue


@shared_task
def send_confirmation(*, subscription_id: int) -> None:
    confirmation.send_due(subscription_id=subscription_id, now=now())


@shared_task
def tick() -> None:
    """Take up the mails whose task was lost, was put off, or never was (imports)."""
    for subscription_id in confirmation.due_ids(now=now()):
        enqueue(send_confirmation, subscription_id=subscription_id)
