"""Take back the rows of lanes that died."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from digest.delivery import session
from digest.models import Delivery

# A lane that lost its session with the database, and lives, writes what became of its window as
# soon as the database is back: it is given this long.
GRACE = timedelta(seconds=20)
# A lane whose host died without a word may keep its session until the network gives up. Longer
# than a lane can work on a window: it begins no message after outbox.WINDOW_SECONDS, and one
# message takes at most four replies and its content (smtp.REPLY_TIMEOUT, smtp.CONTENT_TIMEOUT).
LEASE = timedelta(minutes=5)
# A reader whose lanes die time after time is left in the end: perhaps they die of this message.
MOST_LOSSES = 5


def recover(*, now: datetime) -> int:
    """Mark what dead lanes had on the wire as uncertain; return how many rows that were.

    They may have arrived. Where the operator allows it (RESEND_UNCERTAIN) they stay open and are
    sent again, under the same Message-ID: a window that a lane had claimed need not have reached
    the wire, and one that is lost nobody else would send.
    """
    if _database_is_just_back(now):
        return 0
    silent = Delivery.objects.filter(
        status=Delivery.Status.SENDING, claimed_at__lt=now - GRACE
    ).order_by()
    lanes = silent.values_list("lane", flat=True).distinct()
    dead = session.dead(lanes)
    lost = Q(lane__in=dead) | Q(claimed_at__lt=now - LEASE)
    return _mark_uncertain(silent.filter(lost), now)


def _database_is_just_back(now: datetime) -> bool:
    """Whether lanes that live may not have been able to write their outcomes yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_postmaster_start_time()")
        (started,) = cursor.fetchone()
    return bool(timedelta(0) <= now - started < GRACE)


def _mark_uncertain(rows: QuerySet[Delivery], now: datetime) -> int:
    leave = (
        Value(now)
        if not settings.RESEND_UNCERTAIN
        else Case(When(attempts__gte=MOST_LOSSES - 1, then=Value(now)), default=None)
    )
    return rows.update(
        status=Delivery.Status.UNCERTAIN,
        # What the lane should still come to record is no longer its to record.
        lane="",
        uncertain_at=Coalesce("uncertain_at", Value(now)),
        finished_at=leave,
        attempts=F("attempts") + 1,
        next_attempt_at=now,
        reply="the lane that was sending it went silent",
    )
