"""Show how far an edition is, without slowing its sending."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from digest.delivery.pacing import circuit_breaker
from digest.delivery.progress import report
from digest.delivery.progress.report import DeliveryTally, GroupTally, Report
from digest.delivery.progress.wording import Progress, describe
from digest.models import Edition
from subscribers.plumbing.shared_cache import stale_while_revalidate

_Status = Edition.Status

# For how many seconds a count is valid at least: while an edition is sent, and after its end.
UNDER_WAY_SECONDS, FINISHED_SECONDS = 1.0, 30.0
# The number is the version of the cached value: a new release must not read an old release's value.
_KEY = "watch:3:{edition}:{revision}:{status}:{sent_at}:{what}"


@dataclass(frozen=True)
class Snapshot:
    """How far an edition is; `done` and `total` are current, `report` may be older.

    `line` says how fast the edition is sent, or what it waits for. `domains` is None if the caller
    did not ask for it.
    """

    report: Report
    done: int
    total: int
    is_planning: bool
    line: str
    is_moving: bool
    domains: tuple[GroupTally, ...] | None = None
    waves: tuple[GroupTally, ...] = ()

    @property
    def tally(self) -> DeliveryTally:
        return self.report.tally

    @property
    def percent(self) -> int:
        """The percentage of readers who are done, rounded down: 100 only when all are done."""
        return 100 * self.done // self.total if self.total else 100

    @property
    def revisions(self) -> tuple[GroupTally, ...]:
        """The readers of each revision; empty if all readers got the same revision."""
        return self.report.revisions if len(self.report.revisions) > 1 else ()


def snapshot(edition: Edition, *, now: datetime, domains: bool = False) -> Snapshot:
    """Return how far the edition is, counted from its rows as often as that is cheap.

    For a million readers the number done is counted every 1.5 s, the outcomes and relays every
    30 s, and (with `domains`) the domains every 90 s.
    """
    is_sending = edition.status == _Status.SENDING
    is_over = edition.status in {_Status.SENT, _Status.SKIPPED}
    min_ttl = FINISHED_SECONDS if is_over else UNDER_WAY_SECONDS

    def key(what: str) -> str:
        return _KEY.format(
            edition=edition.pk,
            revision=edition.revision,
            status=edition.status,
            sent_at=edition.sent_at.timestamp() if edition.sent_at else 0,
            what=what,
        )

    found = stale_while_revalidate(
        key("all"), lambda: report.build(edition_id=edition.pk, now=now), min_ttl=min_ttl
    )
    total, is_planning = _audience(edition, found.tally)
    done, later = found.tally.settled, found.later
    if is_sending and not is_planning:
        waiting = stale_while_revalidate(
            key("waiting"),
            lambda: report.count_waiting(edition.pk, now=now),
            min_ttl=UNDER_WAY_SECONDS,
        )
        done = min(max(done, total - waiting.readers - found.tally.sending), total)
        later = waiting.later
    progress = _progress(edition, found, left=total - done, later=later, now=now)
    by_domain = (
        stale_while_revalidate(
            key("domains"), lambda: report.by_domain(edition.pk), min_ttl=min_ttl
        )
        if domains
        else None
    )
    by_wave = (
        stale_while_revalidate(key("waves"), lambda: report.by_wave(edition.pk), min_ttl=min_ttl)
        if domains and edition.local_time
        else ()
    )
    return Snapshot(
        report=found,
        done=done,
        total=total,
        is_planning=is_planning,
        line=describe(progress, edition.newsletter.zone) if is_sending else "",
        is_moving=is_sending and not progress.is_waiting,
        domains=by_domain,
        waves=tuple(_named(edition, hour, tally) for hour, tally in by_wave),
    )


def _named(edition: Edition, hour: datetime, wave: GroupTally) -> GroupTally:
    local = hour.astimezone(edition.newsletter.zone)
    return replace(wave, name=f"{local:%a %-d %b, %H:%M %Z}")


def _audience(edition: Edition, tally: DeliveryTally) -> tuple[int, bool]:
    """Return how many readers there will be, and whether planning is still adding some."""
    if edition.planned_at is not None or edition.audience is None:
        return tally.total, False
    return max(tally.total, edition.audience), edition.status == _Status.SENDING


def _progress(edition: Edition, found: Report, *, left: int, later: int, now: datetime) -> Progress:
    relays = settings.EMAIL_RELAYS
    return Progress(
        left=left,
        later=min(later, left),
        on_the_wire=found.tally.sending,
        next_try=found.next_try,
        to_come=found.to_come,
        next_wave=found.next_wave,
        rate=found.rate,
        pace=found.pace,
        no_relay_available=len(circuit_breaker.unavailable(relays)) == len(relays),
        deadline_at=edition.deadline_at,
        now=now,
        throttled=found.tally.throttled,
    )
