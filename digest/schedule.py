"""Compute when editions go out, from a rule in local time, DST changes included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
# Days to look ahead: one week; a second week, because a zone may skip the only weekday of a rule
# (Samoa had no Friday, 30 December 2011); and one day at either end for the zones' offsets.
_HORIZON = 16
# The zone where a date begins first (Line Islands), and the one where it ends last (ships at
# 180° west).
_FIRST, _LAST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))


@dataclass(frozen=True)
class Rule:
    """When editions go out: on these weekdays (Monday is 0), at this local time in this zone."""

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
    """When one day's edition goes out: the local date it belongs to, and the instant in UTC."""

    date: date
    sends_at: datetime


def instant_of(day: date, local_time: time, zone: tzinfo) -> datetime:
    """Return the instant (UTC) at which the zone's clock shows this time on this day.

    A time that a DST change skips moves forward by the gap (02:30 becomes 03:30). A time that
    comes twice is taken the first time. RFC 5545, section 3.3.5 specifies both for calendars.
    """
    return datetime.combine(day, local_time.replace(fold=0), zone).astimezone(UTC)


def slot_on(rule: Rule, day: date) -> Slot | None:
    """Return the slot of this local date; None if the rule has none or the zone skips the day."""
    if day.weekday() not in rule.weekdays:
        return None
    instant = instant_of(day, rule.local_time, rule.zone)
    shown = instant.astimezone(rule.zone).replace(tzinfo=None)
    if shown - datetime.combine(day, rule.local_time) >= _DAY:
        return None
    return Slot(day, instant)


def slots(rule: Rule, *, after: datetime) -> Iterator[Slot]:
    """Yield the rule's slots later than `after`, in order, over the next two weeks."""
    first = after.astimezone(rule.zone).date() - _DAY
    for n in range(_HORIZON):
        slot = slot_on(rule, first + n * _DAY)
        if slot and slot.sends_at > after:
            yield slot


def next_slot(rule: Rule, *, after: datetime) -> Slot:
    """Return the first slot later than `after`."""
    return next(slots(rule, after=after))


# --- By each reader's own clock -------------------------------------------------------------------


def worldwide_span(day: date, local_time: time) -> tuple[datetime, datetime]:
    """Return when the first zone on earth reaches this time of this day, and when the last does."""
    return instant_of(day, local_time, _FIRST), instant_of(day, local_time, _LAST)


def reader_send_time(
    day: date, local_time: time, zone: tzinfo, *, now: datetime, allowed_lateness: timedelta
) -> datetime:
    """Return when a reader in the zone gets the edition of `day`, if sending begins at `now`.

    The reader gets it at `local_time` by their own clock. A reader whose time has passed gets it
    immediately, as long as it is still that day in the zone or the time was no longer ago than
    `allowed_lateness`. Otherwise the edition is yesterday's: the returned instant lies further in
    the past than `allowed_lateness`.
    """
    own = instant_of(day, local_time, zone)
    if own >= now:
        return own
    is_still_that_day = instant_of(day + _DAY, time(0), zone) > now
    return now if is_still_that_day or own + allowed_lateness > now else own
