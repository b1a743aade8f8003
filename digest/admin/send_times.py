"""Say in plain words when an edition or a schedule's slot reaches its readers."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Protocol

from digest.admin.local_times import format_local
from digest.delivery.progress.wording import approximate
from digest.editions.decide import audience, waves
from digest.models import Edition, Schedule
from subscribers.plumbing.shared_cache import stale_while_revalidate


class HasSendTimes(Protocol):
    """An edition, or the times of one that is not drafted yet (slots.SlotPlan)."""

    @property
    def sends_at(self) -> datetime: ...

    @property
    def last_wave_at(self) -> datetime | None: ...


def format_send_time(edition: HasSendTimes, zone: tzinfo) -> str:
    """Return `Tue 10 Mar, 07:00 GMT` or, by the readers' clocks, `from … to …`."""
    begin = format_local(edition.sends_at, zone)
    if edition.last_wave_at is None:
        return begin
    return f"from {begin} to {format_local(edition.last_wave_at, zone)}"


def send_time_for_audience(edition: Edition, zone: tzinfo, *, now: datetime) -> str:
    """Return the same for the zones of the readers: few newsletters have a reader on Tonga."""
    if edition.local_time is None or edition.sending_at:
        return format_send_time(edition, zone)
    groups = stale_while_revalidate(
        f"reader-groups:1:{edition.pk}:{edition.sends_at.timestamp()}",
        # Computed as of the first wave, so that no zone is missing, whatever the hour is now.
        lambda: waves.reader_groups(edition, audience.readers(edition), now=edition.sends_at),
        min_ttl=30.0,
    )
    # If a group's time lies before `sends_at`, its readers' day is over by then: they get none.
    instants = [max(group.sends_at, now) for group in groups if group.sends_at >= edition.sends_at]
    if not instants:
        return format_send_time(edition, zone)
    return f"from {format_local(min(instants), zone)} to {format_local(max(instants), zone)}"


def reader_hour(edition: Edition) -> str:
    """Say at which hour of the readers; empty if the newsroom's clock counts."""
    if edition.local_time is None:
        return ""
    return f"at {edition.local_time:%H:%M} where each reader is, or at the hour they chose"


def send_deadline(edition: Edition, zone: tzinfo) -> str:
    """Say how late the edition is still sent."""
    end = format_local(edition.deadline_at, zone)
    if edition.local_time is None:
        return end
    lateness = approximate(waves.allowed_lateness(edition))
    return f"{lateness} after each reader's hour; nobody after {end}"


def sending_status(edition: Edition, zone: tzinfo, *, now: datetime) -> str:
    """Return one sentence about an edition that is being sent."""
    if edition.last_wave_at is None or edition.last_wave_at <= now:
        return "On its way to the readers."
    return f"On its way to the readers, in waves until {format_local(edition.last_wave_at, zone)}."


def head_start_lines(schedule: Schedule, *, day_at: datetime) -> list[str]:
    """Say how many readers each head start would serve at their own hour, the shortest first."""
    found = stale_while_revalidate(
        f"head-starts:1:{schedule.pk}:{schedule.changed_at.timestamp()}",
        lambda: waves.head_starts(schedule, day=day_at.astimezone(schedule.zone).date()),
        min_ttl=30.0,
    )
    if not found:
        return []
    total = found[-1].readers
    # A head start gets a line if it adds a hundredth of all readers; the last one always does.
    readers, lines = 0, []
    for start in found:
        if (start.readers - readers) * 100 < total and start is not found[-1]:
            continue
        readers = start.readers
        hours = f"{start.hours} hour{'s'[: start.hours != 1]} of head start"
        label = hours if start.hours else "no head start"
        share = 100 * readers / total
        lines.append(f"With {label}: {readers:,} of {total:,} readers ({share:.0f} %)")
    return lines
