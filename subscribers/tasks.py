"""Wire the clock and the queue to the subscribers app."""

from __future__ import annotations

from celery import shared_task
from django.utils.timezone import now

from subscribers import confirmation, growth, retention
from subscribers.queue import enqueue
from subscribers.webhooks import log, send


@shared_task
def send_confirmation(*, subscription_id: int) -> None:
    confirmation.send_due(subscription_id=subscription_id, now=now())


@shared_task(expires=60)
def send_webhooks(*, webhook_id: int) -> None:
    send.send_due(webhook_id=webhook_id, clock=now)


@shared_task
def tick() -> None:
    """Take up the mails whose task was lost, was put off, or never was (imports)."""
    at = now()
    for subscription_id in confirmation.due_ids(now=at):
        enqueue(send_confirmation, subscription_id=subscription_id)
    for webhook_id in send.due_webhooks(now=at):
        enqueue(send_webhooks, webhook_id=webhook_id)
    log.forget_old(now=at)
    if retention.is_due():
        enqueue(keep_house)


@shared_task
def keep_house() -> None:
    """Count the days that are over, and only then let go of what they were counted from."""
    at = now()
    if any([growth.count_days(now=at), retention.let_go(now=at)]):
        enqueue(keep_house)
