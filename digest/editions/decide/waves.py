"""Compute when an edition that follows the readers' clocks reaches which readers."""

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

from digest.editions.decide import audience
from digest.models import Edition, Schedule
from digest.schedule import instant_of, reader_send_time
from subscribers.models import Subscription

# Readers are written to for at least this long after their own time, however early an editor has
# set the deadline: a wave takes time, and a deferred message is retried minutes later.
MIN_ALLOWED_LATENESS = timedelta(minutes=30)


@dataclass(frozen=True)
class ReaderGroup:
    """The readers who chose this zone and hour (or none), and when they get the edition."""

    timezone: str
    preferred_time: time | None
    readers: int
    sends_at: datetime


def allowed_lateness(edition: Edition) -> timedelta:
    """Return how long after their own time readers are still written to.

    It is the time from the last wave to the deadline, so a later deadline helps every reader.
    """
    if edition.last_wave_at is None:
        return MIN_ALLOWED_LATENESS
    return max(edition.deadline_at - edition.last_wave_at, MIN_ALLOWED_LATENESS)


def send_time(
    edition: Edition, *, timezone: str, preferred_time: time | None, now: datetime
) -> datetime:
    """Return when a reader in this zone, who chose that hour (or none), gets the edition.

    Sending begins at `now`. If the zone is unknown, the newsroom's clock counts.
    """
    if edition.local_time is None:
        return now
    zone = zoneinfo.ZoneInfo(timezone) if timezone in _known_zones() else newsroom_zone(edition)
    return reader_send_time(
        edition.slot_date,
        preferred_time or edition.local_time,
        zone,
        now=now,
        allowed_lateness=allowed_lateness(edition),
    )


def reader_groups(
    edition: Edition, readers: QuerySet[Subscription], *, now: datetime
) -> list[ReaderGroup]:
    """Group the readers by zone and hour, in the order of their send times; one query."""
    groups = (
        readers.order_by()
        .values_list("subscriber__timezone", "preferred_time")
        .annotate(readers=Count("pk"))
    )
    return with_send_times(edition, groups, now=now)


def with_send_times(
    edition: Edition, groups: Iterable[tuple[str, time | None, int]], *, now: datetime
) -> list[ReaderGroup]:
    """Give each group (zone, hour, number of readers) its send time; return them in that order."""
    found = [
        ReaderGroup(
            timezone,
            preferred_time,
            readers,
            send_time(edition, timezone=timezone, preferred_time=preferred_time, now=now),
        )
        for timezone, preferred_time, readers in groups
    ]
    return sorted(
        found, key=lambda group: (group.sends_at, group.timezone, group.preferred_time or time.min)
    )


@dataclass(frozen=True)
class HeadStart:
    """How many readers get the edition at their own hour if it begins `hours` early."""

    hours: int
    readers: int


def head_starts(schedule: Schedule, *, day: date) -> list[HeadStart]:
    """Return the head starts that the schedule's present readers need, the shorter ones first.

    The last one is long enough for all readers.
    """
    home = instant_of(day, schedule.local_time, schedule.zone)
    edition = Edition(
        newsletter=schedule.newsletter,
        schedule=schedule,
        slot_date=day,
        cadence=schedule.cadence,
        local_time=schedule.local_time,
    )
    early = Counter[int]()
    # `now` lies before the hour in the first zone on earth, so that no reader's hour has passed.
    for group in reader_groups(edition, audience.readers(edition), now=home - timedelta(days=2)):
        early[max(0, math.ceil((home - group.sends_at) / timedelta(hours=1)))] += group.readers
    readers = accumulate(early[hours] for hours in sorted(early))
    return [HeadStart(hours, count) for hours, count in zip(sorted(early), readers, strict=True)]


def last_send_time(groups: Iterable[ReaderGroup], *, now: datetime) -> datetime:
    """Return the last send time of the groups; `now` if none is still to come."""
    return max((group.sends_at for group in groups if group.sends_at > now), default=now)


def newsroom_zone(edition: Edition) -> zoneinfo.ZoneInfo:
    """Return the zone of the schedule that the edition was made for, or of its newsletter."""
    if edition.schedule:
        return edition.schedule.zone
    return edition.newsletter.zone


@cache
def _known_zones() -> frozenset[str]:
    # Reading the time zone database takes longer than planning a thousand readers.
    return frozenset(zoneinfo.available_timezones())
