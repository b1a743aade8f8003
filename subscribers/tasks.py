"""Wire the clock and the queue to the subscribers app."""

from __future__ import annotations

from celery import shared_task
from django.utils.timezone import now

from subscribers import access, confirmation, growth, letters, pending, retention
from subscribers.queue import answer, call, enqueue, hand_over
from subscribers.transfer import jobs
from subscribers.webhooks import log, send


@shared_task(expires=60)
def send_webhooks(*, webhook_id: int) -> None:
    send.send_due(webhook_id=webhook_id, clock=now)


@shared_task(expires=60)
def run_import(*, job_id: int) -> None:
    """One turn; the next is a task of its own, so that others get theirs in between."""
    if jobs.run(job_id=job_id, clock=now):
        hand_over(run_import, job_id=job_id)


@shared_task
def send_mails() -> None:
    """Send the mails that are due, those somebody waits for first, and have the rest sent next."""
    answer(send_mails)
    if letters.send_all_due(clock=now) | confirmation.send_all_due(clock=now):
        call(send_mails)


@shared_task
def tick() -> None:
    """Take up the mails whose call was lost, were put off, or never were called for (imports)."""
    at = now()
    pending.remind(now=at)
    letters.forget(now=at)
    if letters.due_ids(now=at, limit=1) or confirmation.due_ids(now=at, limit=1):
        call(send_mails)
    for webhook_id in send.due_webhooks(now=at):
        enqueue(send_webhooks, webhook_id=webhook_id)
    for job_id in jobs.due(now=at):
        enqueue(run_import, job_id=job_id)
    log.forget_old(now=at)
    access.forget_receipts(now=at)
    if retention.is_due():
        enqueue(keep_house)


@shared_task
def keep_house() -> None:
    """Count what came and went, and only then let go of what it was counted from."""
    at = now()
    if any([growth.count(now=at), retention.let_go(now=at)]):
        enqueue(keep_house)
