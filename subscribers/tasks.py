"""Define the Celery tasks of the subscribers app."""

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
    """Run one turn. The next turn is a task of its own, so that others get theirs in between."""
    if jobs.run(job_id=job_id, clock=now):
        hand_over(run_import, job_id=job_id)


@shared_task
def send_mails() -> None:
    """Send due mails, first those that somebody waits for; enqueue this again if there are more."""
    answer(send_mails)
    if letters.send_all_due(clock=now) | confirmation.send_all_due(clock=now):
        call(send_mails)


@shared_task
def tick() -> None:
    """Enqueue the work that is due.

    Among it are mails whose task was lost, that were postponed, or that had no task (imports).
    """
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
    """Count the growth, and only then purge the records from which it is counted."""
    at = now()
    if any([growth.count(now=at), retention.let_go(now=at)]):
        enqueue(keep_house)
