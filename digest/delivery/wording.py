"""Describe how fast an edition is sent, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

# Below this pace no time is estimated: one reader in ten seconds may be the last for an hour.
LEAST_PACE = 0.1


@dataclass(frozen=True)
class Pace:
    """The figures that `describe` needs; `rate` and `pace` are those of report.Report.

    `left` counts the readers who are left. `later` of them are not due yet: some were put off, and
    `to_come` wait for their own hour. Of those who were put off, `throttled` wait for their
    domain's rate.
    """

    left: int
    later: int
    on_the_wire: int
    next_try: datetime | None
    to_come: int
    next_wave: datetime | None
    rate: float
    pace: float
    relays_rest: bool
    deadline_at: datetime
    now: datetime
    throttled: int = 0

    @property
    def due(self) -> int:
        """How many readers are due now."""
        return self.left - self.later

    @property
    def waits(self) -> bool:
        """Whether nothing moves now, even if something moved in the last half minute."""
        return not self.due or self.pace < LEAST_PACE

    @property
    def time_left(self) -> timedelta | None:
        """The time until all due readers are done; None where it cannot be estimated."""
        return None if self.waits else timedelta(seconds=self.due / self.pace)


def describe(pace: Pace, zone: tzinfo) -> str:
    """Return one line: how fast the edition is sent and how long it takes, or what it waits for."""
    if pace.relays_rest:
        return (
            "No relay can be used now: each is out of reach, or at its limit for today. "
            "Sending resumes by itself."
        )
    if not pace.left:
        return "All readers are done."
    return " ".join([*_at_work(pace, zone), *_to_come(pace, zone)])


def _at_work(pace: Pace, zone: tzinfo) -> list[str]:
    """Describe the readers who are due now."""
    if not pace.due:
        return []
    if (left := pace.time_left) is None:
        answer, worker = "the relay's answer", "a worker or a relay that is free"
        return [f"Waiting for {answer if pace.on_the_wire else worker}."]
    words = (
        f"{per_second(pace.rate)}, {approximate(left)} left{' for this wave' * bool(pace.to_come)}."
    )
    if pace.now + left > pace.deadline_at:
        return [
            words,
            f"At this rate it is not done by {_clock(pace.deadline_at, pace.now, zone)}.",
        ]
    return [words]


def _to_come(pace: Pace, zone: tzinfo) -> list[str]:
    """Describe the readers who are due later."""
    words = []
    own_hour = min(pace.to_come, pace.later)
    if own_hour and pace.next_wave:
        when = _clock(pace.next_wave, pace.now, zone)
        wait = "waits" if own_hour == 1 else "wait"
        words.append(f"{_readers(own_hour)} {wait} for their own hour, the next until {when}.")
    if (put_off := pace.later - own_hour) and pace.next_try:
        when = _clock(pace.next_try, pace.now, zone)
        if pace.throttled >= put_off:
            wait = "waits for its" if put_off == 1 else "wait for their"
            words.append(f"{_readers(put_off)} {wait} domain's rate, the next until {when}.")
        else:
            are = "is" if put_off == 1 else "are"
            words.append(f"{_readers(put_off)} {are} tried again from {when} on.")
    return words or ["Waiting for the next readers' turn."] * (not pace.due)


def _readers(number: int) -> str:
    return "1 reader" if number == 1 else f"{number:,} readers"


def per_second(rate: float) -> str:
    """Return a rate such as `1,204 a second`, or a rate per minute where it is slow."""
    if rate >= 10:
        return f"{rate:,.0f} a second"
    if rate >= 1:
        return f"{rate:.1f} a second"
    return f"{rate * 60:.0f} a minute"


def approximate(span: timedelta) -> str:
    """Return `less than a minute`, `about 4 minutes`, `about 2 hours`: as exact as is known."""
    minutes = span / timedelta(minutes=1)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return _about(minutes, "minute")
    return _about(minutes / 60, "hour") if minutes < 36 * 60 else _about(minutes / 1440, "day")


def _about(number: float, what: str) -> str:
    return f"about {round(number):,} {what}{'' if round(number) == 1 else 's'}"


def _clock(when: datetime, now: datetime, zone: tzinfo) -> str:
    """Return the time of day, with the date unless it is today."""
    there = when.astimezone(zone)
    same_day = there.date() == now.astimezone(zone).date()
    soon = when - now < timedelta(hours=1)
    day = "" if same_day else f"{there:%a %-d %b}, "
    return day + (f"{there:%H:%M:%S}" if soon else f"{there:%H:%M %Z}")
