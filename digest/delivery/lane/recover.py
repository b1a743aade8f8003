"""Recover the rows of lanes that died."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from digest.delivery.lane import db_session
from digest.models import Delivery

# How long a lane may take to record its outcomes, if it lost its database session but still lives.
# It records them as soon as the database is back.
GRACE = timedelta(seconds=20)
# After this a row is lost even if its lane's session exists: when a host dies, its session may stay
# until the network times out. The lease is longer than a lane can work on a window. A lane begins
# no message after `outbox.WINDOW_SECONDS`, and one message takes at most four replies and its
# content (`timeouts.REPLY_TIMEOUT`, `timeouts.CONTENT_TIMEOUT`).
LEASE = timedelta(minutes=5)
# A reader whose lane dies at this attempt or a later one is not sent to again: perhaps the message
# kills lanes. Attempts that were deferred count too, because the row counts both in one number.
MAX_LOSSES = 5


def recover(*, now: datetime) -> int:
    """Mark the rows that dead lanes had on the wire as uncertain; return how many rows these were.

    Their messages may have arrived. Where the operator allows it (RESEND_UNCERTAIN) the rows stay
    open and are sent again, under the same Message-ID. The reason: a claimed window may not have
    reached the wire, and nobody else would send a window that is lost.
    """
    if _database_is_just_back(now):
        return 0
    silent = Delivery.objects.filter(
        status=Delivery.Status.SENDING, claimed_at__lt=now - GRACE
    ).order_by()
    lanes = silent.values_list("lane", flat=True).distinct()
    dead = db_session.dead_lanes(lanes)
    lost = Q(lane__in=dead) | Q(claimed_at__lt=now - LEASE)
    return _mark_uncertain(silent.filter(lost), now)


def _database_is_just_back(now: datetime) -> bool:
    """Whether living lanes may not have been able to record their outcomes yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        (started,) = cursor.fetchone()
    return bool(timedelta(0) <= now - started < GRACE)


def _mark_uncertain(rows: QuerySet[Delivery], now: datetime) -> int:
    finished_at = (
        Case(When(attempts__gte=MAX_LOSSES - 1, then=Value(now)), default=None)
        if settings.RESEND_UNCERTAIN
        else Value(now)
    )
    return rows.update(
        status=Delivery.Status.UNCERTAIN,
        # Without its name on the row, the lane cannot record an outcome any more.
        lane="",
        uncertain_at=Coalesce("uncertain_at", Value(now)),
        finished_at=finished_at,
        attempts=F("attempts") + 1,
        next_attempt_at=now,
        reply="the lane that was sending it stopped responding",
    )
