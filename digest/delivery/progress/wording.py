"""Describe how fast an edition is sent, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

# Below this pace no time is estimated: one reader in ten seconds may be the last for an hour.
MIN_PACE = 0.1


@dataclass(frozen=True)
class Progress:
    """The figures that `describe` needs; `rate` and `pace` are those of report.Report.

    `left` counts the readers who are left. `later` of them are not due yet: some were postponed,
    and `to_come` wait for their own hour. Of the postponed readers, `throttled` wait for their
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
    no_relay_available: bool
    deadline_at: datetime
    now: datetime
    throttled: int = 0

    @property
    def due(self) -> int:
        """How many readers are due now."""
        return self.left - self.later

    @property
    def is_waiting(self) -> bool:
        """Whether nothing moves now, even if something moved in the last half minute."""
        return not self.due or self.pace < MIN_PACE

    @property
    def time_left(self) -> timedelta | None:
        """The time until all due readers are done; None if it cannot be estimated."""
        return None if self.is_waiting else timedelta(seconds=self.due / self.pace)


def describe(progress: Progress, zone: tzinfo) -> str:
    """Return one line: how fast the edition is sent and how long it takes, or what it waits for."""
    if progress.no_relay_available:
        return (
            "No relay can be used now: each is out of reach, or at its limit for today. "
            "Sending resumes by itself."
        )
    if not progress.left:
        return "All readers are done."
    return " ".join([*_due_now(progress, zone), *_due_later(progress, zone)])


def _due_now(progress: Progress, zone: tzinfo) -> list[str]:
    """Describe the readers who are due now."""
    if not progress.due:
        return []
    if (left := progress.time_left) is None:
        answer, worker = "the relay's answer", "a worker or a relay that is free"
        return [f"Waiting for {answer if progress.on_the_wire else worker}."]
    this_wave = " for this wave" if progress.to_come else ""
    sentences = [f"{per_second(progress.rate)}, {approximate(left)} left{this_wave}."]
    if progress.now + left > progress.deadline_at:
        deadline = _clock(progress.deadline_at, progress.now, zone)
        sentences.append(f"At this rate it is not done by {deadline}.")
    return sentences


def _due_later(progress: Progress, zone: tzinfo) -> list[str]:
    """Describe the readers who are due later."""
    sentences = []
    own_hour = min(progress.to_come, progress.later)
    if own_hour and progress.next_wave:
        when = _clock(progress.next_wave, progress.now, zone)
        wait = "waits" if own_hour == 1 else "wait"
        sentences.append(f"{_readers(own_hour)} {wait} for their own hour, the next until {when}.")
    if (postponed := progress.later - own_hour) and progress.next_try:
        when = _clock(progress.next_try, progress.now, zone)
        if progress.throttled >= postponed:
            wait = "waits for its" if postponed == 1 else "wait for their"
            sentences.append(f"{_readers(postponed)} {wait} domain's rate, the next until {when}.")
        else:
            are = "is" if postponed == 1 else "are"
            sentences.append(f"{_readers(postponed)} {are} tried again from {when} on.")
    return sentences or ["Waiting for the next readers' turn."] * (not progress.due)


def _readers(number: int) -> str:
    return "1 reader" if number == 1 else f"{number:,} readers"


def per_second(rate: float) -> str:
    """Return a rate such as `1,204 a second`, or a rate per minute if it is slow."""
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
    local = when.astimezone(zone)
    is_today = local.date() == now.astimezone(zone).date()
    is_soon = when - now < timedelta(hours=1)
    day = "" if is_today else f"{local:%a %-d %b}, "
    return day + (f"{local:%H:%M:%S}" if is_soon else f"{local:%H:%M %Z}")
