"""Keep the rows of readers who get an edition by their own clock at the right hour."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from digest.editions import waves
from digest.models import Delivery, Edition
from subscribers.models import Subscription

_Row = Delivery.Status
# Where readers wait for their hour; one that was stopped waits with them.
_UNDER_WAY = [Edition.Status.SENDING, Edition.Status.HELD, Edition.Status.APPROVED]


def retime(*, subscriber_id: int, now: datetime) -> int:
    """Give a reader who changed zone or hour the turns of their new clock; return how many.

    The rows stay the same ones, so nobody gets an edition twice. Whose new hour is past gets it at
    once, and whose is later than the edition lasts gets it with the last wave: nobody misses it.
    """
    _wait_for_planners(subscriber_id)
    rows = Delivery.objects.filter(
        subscription__subscriber=subscriber_id, status=_Row.PENDING, edition__status__in=_UNDER_WAY
    )
    return sum(_retime(pk, now) for pk in rows.order_by("pk").values_list("pk", flat=True))


def _wait_for_planners(subscriber_id: int) -> None:
    """Let the page that is being planned be done: it may have the reader by the clock of before.

    That row would come to light only after this had looked for it. Later pages read the new clock.
    """
    theirs = Subscription.objects.filter(subscriber=subscriber_id)
    half_planned = Edition.objects.filter(
        newsletter__in=theirs.values("newsletter"),
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
        # Not one that a lane took in the meantime.
        status=_Row.PENDING,
        # Who has been tried is tried again as the relay wants it.
        attempts=0,
        next_attempt_at=F("due_at"),
    )
    if not waiting.select_for_update().exists():
        return False
    # Read behind the lock: of two changes at once, the second to come here sees both.
    row = Delivery.objects.select_related(
        "edition__newsletter", "edition__schedule", "subscription__subscriber"
    ).get(pk=delivery_id)
    edition, reader = row.edition, row.subscription
    turn = waves.turn_of(
        edition,
        timezone=reader.subscriber.timezone,
        preferred=reader.preferred_time,
        now=now,
    )
    at = min(max(turn, now), edition.last_wave_at or now)
    return bool(waiting.update(next_attempt_at=at, due_at=at))


def skip_late(*, now: datetime) -> int:
    """Skip readers who were not reached in time after their own hour; return how many.

    The edition goes on: it is the hour of others. A lane does not claim such rows (claim.py).
    """
    return sum(
        _skip_late(edition, now)
        for edition in Edition.objects.filter(
            local_time__isnull=False, sending_at__isnull=False, status__in=_UNDER_WAY
        )
    )


def _skip_late(edition: Edition, now: datetime) -> int:
    late = Delivery.objects.filter(
        edition=edition, next_attempt_at__lte=now, due_at__lte=now - waves.lateness(edition)
    )
    # They may have arrived: that stays said, and they are not sent again.
    late.filter(Q(status=_Row.UNCERTAIN, finished_at=None)).update(finished_at=now)
    return late.filter(status=_Row.PENDING).update(
        status=_Row.SKIPPED, reason=Delivery.Reason.PAST_DEADLINE, finished_at=now
    )
