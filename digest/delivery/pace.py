"""Say in words how fast an edition goes, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

# Slower than this nothing is foretold: one reader in ten seconds may be the last for an hour.
LEAST_PACE = 0.1


@dataclass(frozen=True)
class Pace:
    """What the words are made of; `rate` and `pace` as in report.Report."""

    left: int
    ready: int
    on_the_wire: int
    next_try: datetime | None
    rate: float
    pace: float
    relays_rest: bool
    deadline_at: datetime
    now: datetime

    @property
    def waits(self) -> bool:
        """Whether nothing moves at the moment."""
        return self.pace < LEAST_PACE

    @property
    def time_left(self) -> timedelta | None:
        """None where it cannot be told."""
        if self.waits or not self.left:
            return None
        return timedelta(seconds=self.left / self.pace)


def describe(pace: Pace, zone: tzinfo) -> str:
    """One line for who watches: how fast and how long yet, or what it waits for."""
    if pace.relays_rest:
        return "Every relay rests: out of reach, or at its limit for today. It goes on by itself."
    if pace.waits:
        return _waiting(pace, zone)
    left = pace.time_left
    words = f"{per_second(pace.rate)}, {in_words(left)} left." if left else per_second(pace.rate)
    if left and pace.now + left > pace.deadline_at:
        words += f" At this rate it is not done by {_clock(pace.deadline_at, pace.now, zone)}."
    return words


def _waiting(pace: Pace, zone: tzinfo) -> str:
    if not pace.left:
        return "All readers are done."
    if pace.on_the_wire:
        return "Waiting for the relay's answer."
    if not pace.ready and pace.next_try:
        readers = "1 reader is" if pace.left == 1 else f"{pace.left:,} readers are"
        return f"{readers} tried again from {_clock(pace.next_try, pace.now, zone)} on."
    return "Waiting for a worker or a relay that is free."


def per_second(rate: float) -> str:
    """`1,204 a second`, or by the minute where it is slow."""
    if rate >= 10:
        return f"{rate:,.0f} a second"
    if rate >= 1:
        return f"{rate:.1f} a second"
    return f"{rate * 60:.0f} a minute"


def in_words(span: timedelta) -> str:
    """`less than a minute`, `about 4 minutes`, `about 2 hours`: no more exact than it is known."""
    minutes = span / timedelta(minutes=1)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return _about(minutes, "minute")
    return _about(minutes / 60, "hour") if minutes < 36 * 60 else _about(minutes / 1440, "day")


def _about(number: float, what: str) -> str:
    return f"about {round(number):,} {what}{'' if round(number) == 1 else 's'}"


def _clock(when: datetime, now: datetime, zone: tzinfo) -> str:
    """The hour, with the day where it is not today."""
    there = when.astimezone(zone)
    same_day = there.date() == now.astimezone(zone).date()
    soon = when - now < timedelta(hours=1)
    day = "" if same_day else f"{there:%a %-d %b}, "
    return day + (f"{there:%H:%M:%S}" if soon else f"{there:%H:%M %Z}")
