"""Request a mail: store the intention, which a worker carries out (subscribers.preferences.requested_mail)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from subscribers import tasks
from subscribers.models import AddressChange, RequestedMail
from subscribers.plumbing.queue import enqueue_once


def submit(
    *,
    kind: str,
    email_key: str,
    due_at: datetime,
    change: AddressChange | None = None,
    now: datetime,
) -> None:
    """Store the intention to send the mail and wake a worker; a later `due_at` waits for a tick."""
    RequestedMail.objects.create(
        kind=kind, email_key=email_key, change=change, asked_at=now, due_at=due_at
    )
    enqueue_once(tasks.send_mails)


def record_refusal(*, kind: str, email_key: str, change: AddressChange, now: datetime) -> None:
    """Record that the mail was requested too often; whoever requests it is not told."""
    RequestedMail.objects.create(
        kind=kind,
        email_key=email_key,
        change=change,
        asked_at=now,
        outcome=RequestedMail.Outcome.TOO_OFTEN,
    )


def lock_address(email_key: str) -> None:
    """Let other requests for a mail to this address wait until the transaction is over.

    The lock goes by the address and not by a row: whether there is a row must make no difference.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [email_key])
