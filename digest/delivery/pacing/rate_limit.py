"""Decide which readers may be sent to now, within the rates of relays and recipient domains."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis
from redis.commands.core import Script

from digest.delivery.ledger import WINDOW, Claimed
from digest.delivery.pacing import circuit_breaker
from digest.delivery.pacing.deferrals import DeferralTracker, SlowDown
from digest.delivery.pacing.local_rate_limit import LocalRateLimit
from digest.delivery.transport.replies import SendOutcome
from digest.models import Delivery
from subscribers.mail.relays import Relay
from subscribers.plumbing import shared_redis

logger = logging.getLogger(__name__)

# If nothing is limited, a lane asks Redis only after this many seconds, which costs nothing at any
# speed. It reports a deferral immediately.
QUIET_SECONDS = 0.1
# How many seconds before its turn a lane may ask, because sleeping is not exact.
EARLY_SECONDS = 0.005
# Seconds after which the warm-up's daily count is read from the ledger again, while Redis is
# unavailable.
RECOUNT_SECONDS = 30.0

_SOURCE = Path(__file__).with_suffix(".lua").read_text()
# The script's answer if it has no count of the day, and the index of the argument with that count.
_NEEDS_COUNT, _DAY_COUNT = -1, 12


@dataclass(frozen=True, slots=True)
class Admission:
    """What a lane may do with a window; every row is in exactly one of the three lists."""

    # Rows to send now.
    admitted: list[Claimed]
    # Rows whose domain is at its rate, each with the time until which it returns to pending, with
    # the reason "throttled" and without an attempt.
    throttled: list[tuple[Claimed, datetime]] = field(default_factory=list)
    # Rows beyond the relay's rate. They return to pending, without an attempt.
    released: list[Claimed] = field(default_factory=list)
    # Seconds to sleep before the next claim, whatever became of this window.
    wait: float = 0.0
    # How many rows to claim then.
    limit: int = WINDOW
    # Whether the relay's daily cap is reached. The lane ends, and other lanes pass over the relay.
    is_full: bool = False


def count_sent_on(relay: Relay, day: date) -> int:
    """Return how many messages the relay took on that day (UTC), counted from the ledger."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Delivery.objects.filter(
        relay=relay.name,
        finished_at__gte=begin,
        finished_at__lt=begin + timedelta(days=1),
        status=Delivery.Status.SENT,
        # Only editions that can have been sent on that day: without this every row would be read.
        edition__deadline_at__gte=begin,
    ).count()


class RateLimiter:
    """Keeps one lane to the rates of its relay and of its readers' domains.

    `clock` gives seconds in tests. Without it Redis' own clock is used.
    """

    def __init__(
        self,
        relay: Relay,
        *,
        clock: Callable[[], float] | None = None,
        count: Callable[[Relay, date], int] = count_sent_on,
    ) -> None:
        self.relay = relay
        self._clock, self._count = clock, count
        self._time = clock or time.monotonic
        self._rates: Mapping[str, float] = settings.DOMAIN_RATES
        self._default_rate = self._rates.get("*", 0.0)
        self._deferrals = DeferralTracker()
        self._slow_down = SlowDown()
        self._sent = 0
        # How many tokens Redis keeps for this lane's next window, and when the lane may ask again.
        self._kept, self._ready_at = 0, 0.0
        self._quiet_until = 0.0
        self._local: LocalRateLimit | None = None
        # This lane's share of the daily cap: when it was counted, for which day, and what is left.
        self._share: tuple[float, date, int] | None = None

    def admit(self, rows: list[Claimed], *, now: datetime) -> Admission:
        """Sort a claimed window into rows to send and rows that wait; no Redis error is raised.

        `rows` may be empty: a lane asks once before its first claim, to learn `limit` and `wait`
        while it has no rows to release.
        """
        at = self._time()
        if (early := self._ready_at - at) > EARLY_SECONDS:
            return Admission([], released=rows, wait=early, limit=max(1, self._kept))
        self._read_deferrals()
        is_limited = bool(self._rates) and any(self._rate(row) for row in rows)
        if at < self._quiet_until and not is_limited:
            self._sent += len(rows)
            return Admission(rows)
        try:
            return self._admit_by_redis(rows, now=now, at=at, is_limited=is_limited)
        except shared_redis.RedisUnavailable as error:
            return self._admit_locally(rows, now=now, at=at, error=error)

    def record_outcome(self, row: Claimed, outcome: SendOutcome) -> None:
        """Remember the relay's answer; the next `admit` acts on it."""
        self._deferrals.add(_domain(row), outcome)

    def _read_deferrals(self) -> None:
        slow_down = self._deferrals.slow_down()
        if slow_down.relay or slow_down.domains:
            self._slow_down, self._quiet_until = slow_down, 0.0

    def _rate(self, row: Claimed) -> float:
        """Return the rate that the settings allow for the row's domain; 0 means no limit."""
        return self._rates.get(_domain(row), self._default_rate)

    def _admit_by_redis(
        self, rows: list[Claimed], *, now: datetime, at: float, is_limited: bool
    ) -> Admission:
        """Sort the window by the buckets in Redis, which all lanes share."""
        arguments = self._arguments(rows, now.astimezone(UTC).date(), is_limited)
        reply = _run_script(arguments)
        if reply[0] == _NEEDS_COUNT:
            arguments[_DAY_COUNT] = self._count(self.relay, now.astimezone(UTC).date())
            reply = _run_script(arguments)
        admitted, limit, wait, kept, is_quiet, is_full, *milliseconds = reply
        self._slow_down, self._sent, self._kept = SlowDown(), 0, kept
        self._ready_at = at + wait / 1000 if kept else 0.0
        self._quiet_until = at + QUIET_SECONDS if is_quiet else 0.0
        waits = [ms if ms < 0 else ms / 1000 for ms in milliseconds]
        waits = waits or [0.0] * admitted + [-1.0] * (len(rows) - admitted)
        if is_full:
            circuit_breaker.open_for(self.relay, seconds=_seconds_to_midnight(now))
        return _sort(rows, waits, now, wait=wait / 1000, limit=limit, is_full=bool(is_full))

    def _arguments(self, rows: list[Claimed], day: date, is_limited: bool) -> list[Any]:
        """Return the arguments of rate_limit.lua, in its order."""
        relay, slow_down = self.relay, self._slow_down
        return [
            relay.name,
            "" if self._clock is None else repr(self._clock()),
            len(rows),
            self._kept,
            relay.rate or 0,
            relay.floor,
            relay.connections,
            WINDOW,
            self._sent,
            int(slow_down.relay),
            relay.warmup.cap_on(day) if relay.warmup else -1,
            day.isoformat() if relay.warmup else "",
            "",
            "".join(
                f"{name} {share:.4f} {self._rates.get(name, self._default_rate):g}\n"
                for name, share in slow_down.domains.items()
            ),
            int(is_limited),
            "".join(
                f"{'+' if _was_throttled(row) else '-'}{_domain(row)} {self._rate(row):g}\n"
                for row in rows
            ),
        ]

    def _admit_locally(
        self, rows: list[Claimed], *, now: datetime, at: float, error: shared_redis.RedisUnavailable
    ) -> Admission:
        """Sort the window without Redis, by the lane's share of the relay's floor rate."""
        if self._local is None:
            lanes = self.relay.connections
            self._local = LocalRateLimit(floor=self.relay.floor, lanes=lanes, at=at)
            rate = self.relay.floor / lanes
            logger.warning("Redis is unavailable; this lane sends at most %.3g/s: %s", rate, error)
        self._kept, self._ready_at, self._quiet_until = 0, 0.0, 0.0
        left = self._left_today(now, at)
        domains = [(_domain(row), self._rate(row), _was_throttled(row)) for row in rows]
        waits = self._local.waits(domains, at=at, left=left)
        if self._share:
            counted_at, day, share = self._share
            self._share = counted_at, day, share - waits.count(0)
        limit, wait = self._local.next_window(WINDOW)
        return _sort(rows, waits, now, wait=wait, limit=limit, is_full=left == 0)

    def _left_today(self, now: datetime, at: float) -> int | None:
        """Return this lane's share of what the relay still takes today, by the ledger's count."""
        if not self.relay.warmup:
            return None
        day = now.astimezone(UTC).date()
        if self._share is None or at - self._share[0] > RECOUNT_SECONDS or self._share[1] != day:
            left = max(0, self.relay.warmup.cap_on(day) - self._count(self.relay, day))
            self._share = at, day, left // self.relay.connections
        return self._share[2]


def _run_script(arguments: Sequence[Any]) -> list[int]:
    reply: list[int] = shared_redis.run(lambda redis: _script(redis)(args=arguments))
    return reply


@cache
def _script(redis: Redis) -> Script:
    return redis.register_script(_SOURCE)


def _sort(
    rows: Sequence[Claimed],
    waits: Sequence[float],
    now: datetime,
    *,
    wait: float,
    limit: int,
    is_full: bool,
) -> Admission:
    """Sort the rows: a wait of 0 admits a row, below 0 releases it, and seconds throttle it."""
    admission = Admission([], wait=wait, limit=limit, is_full=is_full)
    for row, seconds in zip(rows, waits, strict=True):
        if seconds == 0:
            admission.admitted.append(row)
        elif seconds < 0:
            admission.released.append(row)
        else:
            admission.throttled.append((row, now + timedelta(seconds=seconds)))
    return admission


def _domain(row: Claimed) -> str:
    # A space would end the name in the script's arguments. No valid domain contains one.
    return "".join(row.email.rpartition("@")[2].lower().split()) or "?"


def _was_throttled(row: Claimed) -> bool:
    return bool(getattr(row, "throttled", False))


def _seconds_to_midnight(now: datetime) -> float:
    midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    return max(1.0, (midnight - now).total_seconds())
