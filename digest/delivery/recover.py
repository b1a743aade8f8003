"""Take back the rows of lanes that went silent."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce

from digest.models import Delivery

# Longer than a lane can work on a window: it begins no message after lane.WINDOW_SECONDS, and one
# message takes at most four replies and its content (smtp.REPLY_TIMEOUT, smtp.CONTENT_TIMEOUT).
LEASE = timedelta(minutes=5)


def recover(*, now: datetime) -> int:
    """Mark rows whose lane's lease is over as uncertain; return how many.

    They may have arrived. Where the operator allows it (RESEND_UNCERTAIN) they stay open and are
    sent once more, under the same Message-ID; a row that is lost a second time is left.
    """
    silent = Delivery.objects.filter(status=Delivery.Status.SENDING, claimed_at__lt=now - LEASE)
    leave = (
        Value(now)
        if not settings.RESEND_UNCERTAIN
        else Case(When(uncertain_at__isnull=False, then=Value(now)), default=None)
    )
    return silent.update(
        status=Delivery.Status.UNCERTAIN,
        # What the lane should still come to record is no longer its to record.
        lane="",
        uncertain_at=Coalesce("uncertain_at", Value(now)),
        finished_at=leave,
        attempts=F("attempts") + 1,
        next_attempt_at=now,
        reply="the lane that was sending it went silent",
    )
