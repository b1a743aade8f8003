"""Say when an edition that goes by the readers' clocks reaches whom."""

from __future__ import annotations

import math
import zoneinfo
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import accumulate

from django.db.models import Count, QuerySet

from digest.editions import audience
from digest.models import Edition, Schedule
from digest.schedule import instant_of, readers_turn
from subscribers.models import Subscription

# So late after their own time readers are written to at the least, however early an editor has
# set the edition's end: a wave takes time, and who is put off once comes back in minutes.
LEAST_LATENESS = timedelta(minutes=30)


@dataclass(frozen=True)
class Turn:
    """The readers who chose this zone and hour (or none), and when they get the edition."""

    timezone: str
    preferred: time | None
    readers: int
    at: datetime


def lateness(edition: Edition) -> timedelta:
    """How long after their own time readers are still written to.

    As long as the edition lasts after its last wave: who gives it more time gives it to everybody.
    """
    if edition.last_wave_at is None:
        return LEAST_LATENESS
    return max(edition.deadline_at - edition.last_wave_at, LEAST_LATENESS)


def turn_of(edition: Edition, *, timezone: str, preferred: time | None, now: datetime) -> datetime:
    """When a reader in this zone who chose that hour (or none) gets what is given out from now on.

    Where the zone is not known the newsroom's clock counts.
    """
    if edition.local_time is None:
        return now
    zone = zoneinfo.ZoneInfo(timezone) if timezone in _known_zones() else newsroom(edition)
    return readers_turn(
        edition.slot_date,
        preferred or edition.local_time,
        zone,
        now=now,
        useful_for=lateness(edition),
    )


def turns(edition: Edition, readers: QuerySet[Subscription], *, now: datetime) -> list[Turn]:
    """The readers by zone and hour, in the order of their turns; one query."""
    groups = (
        readers.order_by()
        .values_list("subscriber__timezone", "preferred_time")
        .annotate(readers=Count("pk"))
    )
    return timed(edition, groups, now=now)


def timed(
    edition: Edition, groups: Iterable[tuple[str, time | None, int]], *, now: datetime
) -> list[Turn]:
    """Zones, hours and how many readers chose them, each with its turn, in that order."""
    found = [
        Turn(name, preferred, count, turn_of(edition, timezone=name, preferred=preferred, now=now))
        for name, preferred, count in groups
    ]
    return sorted(found, key=lambda turn: (turn.at, turn.timezone, turn.preferred or time.min))


@dataclass(frozen=True)
class HeadStart:
    """How many readers get an edition at their own hour that begins so many hours early."""

    hours: int
    readers: int


def head_starts(schedule: Schedule, *, day: date) -> list[HeadStart]:
    """For the schedule's readers by now, the shorter head starts first; the last is for all."""
    home = instant_of(day, schedule.local_time, schedule.zone)
    edition = Edition(
        newsletter=schedule.newsletter,
        schedule=schedule,
        slot_date=day,
        cadence=schedule.cadence,
        local_time=schedule.local_time,
    )
    early = Counter[int]()
    # All of them, so from before the first zone on earth.
    for turn in turns(edition, audience.readers(edition), now=home - timedelta(days=2)):
        early[max(0, math.ceil((home - turn.at) / timedelta(hours=1)))] += turn.readers
    readers = accumulate(early[hours] for hours in sorted(early))
    return [HeadStart(hours, count) for hours, count in zip(sorted(early), readers, strict=True)]


def last_turn(turns: Iterable[Turn], *, now: datetime) -> datetime:
    """When the turn of the last of them comes; now where there is nobody."""
    return max((turn.at for turn in turns if turn.at > now), default=now)


def newsroom(edition: Edition) -> zoneinfo.ZoneInfo:
    """The clock of the schedule that it was made for, else of its newsletter."""
    if edition.schedule:
        return edition.schedule.zone
    return edition.newsletter.zone


@cache
def _known_zones() -> frozenset[str]:
    # Reading the time zone database takes longer than planning a thousand readers.
    return frozenset(zoneinfo.available_timezones())
