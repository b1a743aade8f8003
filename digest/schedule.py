"""Say when the next edition goes out, by a rule on a local clock, daylight saving included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
# A week, and another one for the only weekday of a rule that a zone's clock skipped (Samoa left
# out Friday, 30 December 2011), and a day on either side for the zones' own offsets.
_HORIZON = 16
# Where a date begins first (Line Islands) and ends last (by the clock of ships on 180° west).
_FIRST, _LAST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


@dataclass(frozen=True)
class Rule:
    """On these weekdays (Monday is 0), at this local time, by this zone's clock."""

    weekdays: frozenset[int]
    local_time: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= set(range(7)):
            raise ValueError("a rule needs weekdays between 0 (Monday) and 6 (Sunday)")
        if self.local_time.tzinfo:
            raise ValueError("a rule's time is local: it carries no zone of its own")


@dataclass(frozen=True, order=True)
class Slot:
    """One day's edition: the local date it belongs to, and its instant in UTC."""

    date: date
    sends_at: datetime


def instant_of(day: date, local_time: time, zone: tzinfo) -> datetime:
    """When the zone's clock shows this time on this day.

    A time that the clock jumps over moves forward by the gap (02:30 becomes 03:30), one that comes
    twice is taken the first time: what RFC 5545, section 3.3.5 lays down for calendars.
    """
    return datetime.combine(day, local_time.replace(fold=0), zone).astimezone(UTC)


def slot_on(rule: Rule, day: date) -> Slot | None:
    """The slot of this local date; None where the rule has none, or the zone has no such day."""
    if day.weekday() not in rule.weekdays:
        return None
    instant = instant_of(day, rule.local_time, rule.zone)
    shown = instant.astimezone(rule.zone).replace(tzinfo=None)
    if shown - datetime.combine(day, rule.local_time) >= _DAY:
        return None
    return Slot(day, instant)


def slots(rule: Rule, *, after: datetime) -> Iterator[Slot]:
    """The rule's slots later than `after`, in order, over the next two weeks."""
    first = after.astimezone(rule.zone).date() - _DAY
    for n in range(_HORIZON):
        slot = slot_on(rule, first + n * _DAY)
        if slot and slot.sends_at > after:
            yield slot


def next_slot(rule: Rule, *, after: datetime) -> Slot:
    """The first slot later than `after`."""
    return next(slots(rule, after=after))


# --- By each reader's own clock -------------------------------------------------------------------


def around_the_world(day: date, local_time: time) -> tuple[datetime, datetime]:
    """When it is this time of this day in the first zone on earth, and when in the last."""
    return instant_of(day, local_time, _FIRST), instant_of(day, local_time, _LAST)


def readers_turn(
    day: date, local_time: time, zone: tzinfo, *, now: datetime, useful_for: timedelta
) -> datetime:
    """When a reader in the zone gets the edition of that day that is given out from `now` on.

    At that time by the reader's own clock. Who is past it gets the edition at once, as long as it
    is still that day there, or the time was no longer ago than `useful_for`; else the instant that
    is returned lies in the past by more than that, and the edition is yesterday's.
    """
    own = instant_of(day, local_time, zone)
    if own >= now:
        return own
    is_still_that_day = instant_of(day + _DAY, time(0), zone) > now
    return now if is_still_that_day or own + useful_for > now else own
