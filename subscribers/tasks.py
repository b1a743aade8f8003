"""Define the Celery tasks of the subscribers app."""

from __future__ import annotations

from celery import shared_task
from django.utils.timezone import now

from subscribers.plumbing.queue import acknowledge, enqueue, enqueue_now, enqueue_once
from subscribers.preferences import requested_mail
from subscribers.privacy import retention
from subscribers.reports import growth
from subscribers.signup import confirmation_mail, pending
from subscribers.transfer import slices
from subscribers.webhooks import send


@shared_task(expires=60)
def send_webhooks(*, webhook_id: int) -> None:
    send.send_to_webhook(webhook_id=webhook_id, clock=now)


# One turn takes seconds. But the first one reads the whole list once, a dry run is a single turn,
# and a list may have 4 GB.
_IMPORT_SECONDS = 3600


@shared_task(expires=60, soft_time_limit=_IMPORT_SECONDS, time_limit=_IMPORT_SECONDS + 300)
def run_import(*, job_id: int) -> None:
    """Run one turn. The next turn is a task of its own, so that others get theirs in between."""
    if slices.run_slice(job_id=job_id, clock=now):
        enqueue_now(run_import, job_id=job_id)


@shared_task
def send_mails() -> None:
    """Send due mails, first those that somebody waits for; enqueue this again if there are more."""
    acknowledge(send_mails.name)
    if requested_mail.send_all_due(clock=now) | confirmation_mail.send_all_due(clock=now):
        enqueue_once(send_mails.name)


@shared_task
def tick() -> None:
    """Enqueue the work that is due.

    This includes mails whose task was lost, that were postponed, or that had no task (imports).
    """
    at = now()
    pending.remind(now=at)
    if requested_mail.due_ids(now=at, limit=1) or confirmation_mail.due_ids(now=at, limit=1):
        enqueue_once(send_mails.name)
    for webhook_id in send.due_webhooks(now=at):
        enqueue(send_webhooks, webhook_id=webhook_id)
    for job_id in slices.unclaimed(now=at):
        enqueue(run_import, job_id=job_id)
    if retention.is_due():
        enqueue(housekeeping)


@shared_task
def housekeeping() -> None:
    """Count the growth, and only then purge the records from which it is counted."""
    at = now()
    if any([growth.count_settled(now=at), retention.purge(now=at)]):
        enqueue(housekeeping)
