"""Ask for a letter: the intention is stored, a worker sends it (subscribers.letters)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from subscribers import tasks
from subscribers.models import AddressChange, Letter
from subscribers.queue import call


def ask(
    *,
    kind: str,
    email_key: str,
    due_at: datetime,
    change: AddressChange | None = None,
    now: datetime,
) -> None:
    """Have the letter sent; where that is to be later, a tick will see it."""
    Letter.objects.create(
        kind=kind, email_key=email_key, change=change, asked_at=now, due_at=due_at
    )
    call(tasks.send_mails)


def refuse(*, kind: str, email_key: str, change: AddressChange, now: datetime) -> None:
    """Write down that the letter was asked for too often; whoever asks is not told."""
    Letter.objects.create(
        kind=kind,
        email_key=email_key,
        change=change,
        asked_at=now,
        outcome=Letter.Outcome.TOO_OFTEN,
    )


def one_at_a_time(email_key: str) -> None:
    """Let the others who ask for a letter to this address wait until the transaction is over.

    A lock by the address and not by a row: whether there is a row must make no difference.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [email_key])
