"""Tell when newsletters come, as far as their readers can choose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from digest.editions.draft.slots import active_schedules
from digest.models import Cadence, Schedule
from digest.models.schedules import Weekday
from subscribers.models import Subscription
from subscribers.preferences.rhythm import Rhythm

_WEEKEND = {Weekday.SATURDAY, Weekday.SUNDAY}


def rhythms(*, newsletter_ids: Collection[int]) -> dict[int, Rhythm]:
    """Return the rhythm of each newsletter that has an active schedule; one query.

    Editors send the others by hand.
    """
    schedules = active_schedules(Schedule.objects.filter(newsletter__in=newsletter_ids))
    found: defaultdict[int, list[Schedule]] = defaultdict(list)
    for schedule in schedules:
        found[schedule.newsletter_id].append(schedule)
    return {newsletter_id: _rhythm(theirs) for newsletter_id, theirs in found.items()}


def has_weekly_schedule(*, newsletter_id: int) -> bool:
    """Whether a schedule sends weekly readers the best of the week."""
    return _has_schedule(newsletter_id, Cadence.WEEKLY)


def has_daily_schedule(*, newsletter_id: int) -> bool:
    """Whether a schedule sends what is new."""
    return _has_schedule(newsletter_id, Cadence.DAILY)


def _has_schedule(newsletter_id: int, cadence: Cadence) -> bool:
    schedules = Schedule.objects.filter(newsletter=newsletter_id, cadence=cadence)
    return active_schedules(schedules).exists()


def count_weekly_readers(*, newsletter_id: int) -> int:
    """Return how many readers chose the best of the week."""
    return Subscription.objects.filter(
        newsletter=newsletter_id,
        status=Subscription.Status.ACTIVE,
        frequency=Subscription.Frequency.WEEKLY,
    ).count()


def _rhythm(schedules: list[Schedule]) -> Rhythm:
    daily = [schedule for schedule in schedules if schedule.cadence == Cadence.DAILY]
    by_readers = [
        schedule.local_time for schedule in schedules if schedule.clock == Schedule.Clock.READER
    ]
    return Rhythm(
        weekly=len(daily) < len(schedules),
        weekends=any(_WEEKEND & set(schedule.weekdays) for schedule in daily),
        readers_time=min(by_readers, default=None),
    )
