"""Keep each row of an edition that follows the readers' clocks at its reader's hour."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from digest.editions.decide import waves
from digest.models import Delivery, Edition
from subscribers.models import Subscription

_Row = Delivery.Status
# The states in which readers may wait for their hour. A stopped edition's readers wait too.
_UNDER_WAY = [Edition.Status.SENDING, Edition.Status.HELD, Edition.Status.APPROVED]


def retime(*, subscriber_id: int, now: datetime) -> int:
    """Move the waiting rows of a reader who changed time zone or hour; return how many.

    The rows stay the same, so nobody gets an edition twice. A reader whose new hour has passed gets
    the edition immediately. A reader whose new hour is after the last wave gets it with that wave.
    So nobody misses the edition.
    """
    _wait_for_planners(subscriber_id)
    rows = Delivery.objects.filter(
        subscription__subscriber=subscriber_id, status=_Row.PENDING, edition__status__in=_UNDER_WAY
    )
    return sum(_retime(pk, now) for pk in rows.order_by("pk").values_list("pk", flat=True))


def _wait_for_planners(subscriber_id: int) -> None:
    """Wait until the batch that is being planned is committed.

    The batch may hold the reader with the old time zone or hour, and its rows would appear only
    after this module has looked for them. Later batches read the new values.
    """
    subscriptions = Subscription.objects.filter(subscriber=subscriber_id)
    half_planned = Edition.objects.filter(
        newsletter__in=subscriptions.values("newsletter"),
        local_time__isnull=False,
        status=Edition.Status.SENDING,
        planned_at=None,
    )
    with transaction.atomic():
        list(half_planned.order_by("pk").select_for_update(no_key=True).values_list("pk"))


@transaction.atomic
def _retime(delivery_id: int, now: datetime) -> bool:
    waiting = Delivery.objects.filter(
        pk=delivery_id,
        # The row was not claimed by a lane since.
        status=_Row.PENDING,
        # A row with an attempt waits for the relay's retry, not for the reader's hour.
        attempts=0,
        next_attempt_at=F("due_at"),
    )
    if not waiting.select_for_update().exists():
        return False
    # Read after the lock is held: of two changes at the same time, the second one sees both.
    row = Delivery.objects.select_related(
        "edition__newsletter", "edition__schedule", "subscription__subscriber"
    ).get(pk=delivery_id)
    edition, reader = row.edition, row.subscription
    sends_at = waves.send_time(
        edition,
        timezone=reader.subscriber.timezone,
        preferred_time=reader.preferred_time,
        now=now,
    )
    at = min(max(sends_at, now), edition.last_wave_at or now)
    return bool(waiting.update(next_attempt_at=at, due_at=at))


def skip_late(*, now: datetime) -> int:
    """Skip readers who were not reached in time after their own hour; return how many.

    The edition continues for readers whose hour comes later. A lane does not claim late rows either
    (claim.py).
    """
    return sum(
        _skip_late(edition, now)
        for edition in Edition.objects.filter(
            local_time__isnull=False, sending_at__isnull=False, status__in=_UNDER_WAY
        )
    )


def _skip_late(edition: Edition, now: datetime) -> int:
    late = Delivery.objects.filter(
        edition=edition, next_attempt_at__lte=now, due_at__lte=now - waves.allowed_lateness(edition)
    )
    # These messages may have arrived: the rows stay uncertain, and are not sent again.
    late.filter(Q(status=_Row.UNCERTAIN, finished_at=None)).update(finished_at=now)
    return late.filter(status=_Row.PENDING).update(
        status=_Row.SKIPPED, reason=Delivery.Reason.PAST_DEADLINE, finished_at=now
    )
