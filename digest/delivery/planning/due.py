"""Find the editions that have work for a lane, and when."""

from __future__ import annotations

from datetime import datetime

from digest.delivery.planning.finish import has_open_rows
from digest.delivery.planning.start import WAITING
from digest.models import Delivery, Edition


def due_sendings(*, now: datetime) -> list[int]:
    """Return the ids of the sending editions that have work for a lane."""
    due = Delivery.objects.filter(WAITING, next_attempt_at__lte=now)
    sending = Edition.objects.filter(status=Edition.Status.SENDING, deadline_at__gt=now)
    return [
        pk
        for pk in sending.order_by("pk").values_list("pk", flat=True)
        if due.filter(edition_id=pk).exists() or not has_open_rows(pk)
    ]


def next_due(edition_id: int) -> datetime | None:
    """Return when the next of the edition's readers is due, by the index delivery_due."""
    waiting = Delivery.objects.filter(WAITING, edition_id=edition_id)
    return waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


def next_in_turn(edition_id: int, *, now: datetime) -> int:
    """Return the edition that a connection sends next: those that are due take turns, by id."""
    due = due_sendings(now=now)
    return next((pk for pk in due if pk > edition_id), due[0] if due else edition_id)
