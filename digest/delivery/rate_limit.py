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

from digest.delivery import circuit_breaker
from digest.delivery.claim import WINDOW, Claimed
from digest.delivery.deferrals import DeferralTracker, SlowDown
from digest.delivery.local_rate_limit import LocalRateLimit
from digest.delivery.replies import SendOutcome
from digest.models import Delivery
from subscribers import shared_redis
from subscribers.relays import Relay

logger = logging.getLogger(__name__)

# Where nothing is limited, a lane asks Redis only after this many seconds, which costs nothing at
# any speed. It reports a deferral immediately.
QUIET = 0.1
# How many seconds before its turn a lane may come, because sleeping is not exact.
EARLY = 0.005
# Seconds after which the warm-up's daily count is read from the ledger again, while Redis is gone.
RECOUNT = 30.0

_SOURCE = Path(__file__).with_suffix(".lua").read_text()
# The script's answer where it has no count of the day, and the index of the argument with a count.
_NEEDS_COUNT, _SEED = -1, 12


@dataclass(frozen=True, slots=True)
class Admission:
    """What a lane may do with a batch; every row is in exactly one of the three lists."""

    # Rows to send now.
    go: list[Claimed]
    # Rows whose domain is at its rate: back to pending until that time, with the reason "throttled"
    # and without an attempt.
    later: list[tuple[Claimed, datetime]] = field(default_factory=list)
    # Rows beyond the relay's rate: back to pending, without an attempt.
    back: list[Claimed] = field(default_factory=list)
    # Seconds to sleep before the next claim, whatever became of this batch.
    wait: float = 0.0
    # How many rows to claim then.
    limit: int = WINDOW
    # Whether the relay's daily cap is reached: the lane ends, and other lanes pass the relay over.
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
        self._any = self._rates.get("*", 0.0)
        self._deferrals = DeferralTracker()
        self._slow_down = SlowDown()
        self._sent = 0
        # How many tokens Redis keeps for this lane's next batch, and when the batch may come.
        self._kept, self._ready_at = 0, 0.0
        self._quiet_until = 0.0
        self._local: LocalRateLimit | None = None
        # This lane's share of the daily cap: when it was counted, for which day, and what is left.
        self._share: tuple[float, date, int] | None = None

    def admit(self, rows: list[Claimed], *, now: datetime) -> Admission:
        """Sort a claimed batch into rows to send and rows that wait; no Redis error is raised.

        `rows` may be empty: a lane asks once before its first claim, to learn `limit` and `wait`
        while it has no rows to release.
        """
        at = self._time()
        if (early := self._ready_at - at) > EARLY:
            return Admission([], back=rows, wait=early, limit=max(1, self._kept))
        self._learn()
        is_limited = bool(self._rates) and any(self._rate(row) for row in rows)
        if at < self._quiet_until and not is_limited:
            self._sent += len(rows)
            return Admission(rows)
        try:
            return self._together(rows, now=now, at=at, is_limited=is_limited)
        except shared_redis.RedisUnavailable as error:
            return self._by_itself(rows, now=now, at=at, error=error)

    def record_outcome(self, row: Claimed, outcome: SendOutcome) -> None:
        """Remember the relay's answer; the next `admit` acts on it."""
        self._deferrals.add(_domain(row), outcome)

    def _learn(self) -> None:
        slow_down = self._deferrals.slow_down()
        if slow_down.relay or slow_down.domains:
            self._slow_down, self._quiet_until = slow_down, 0.0

    def _rate(self, row: Claimed) -> float:
        """Return the rate that the settings allow for the row's domain; 0 means no limit."""
        return self._rates.get(_domain(row), self._any)

    def _together(
        self, rows: list[Claimed], *, now: datetime, at: float, is_limited: bool
    ) -> Admission:
        """Sort the batch by the buckets in Redis, which all lanes share."""
        arguments = self._arguments(rows, now.astimezone(UTC).date(), is_limited)
        reply = _ask(arguments)
        if reply[0] == _NEEDS_COUNT:
            arguments[_SEED] = self._count(self.relay, now.astimezone(UTC).date())
            reply = _ask(arguments)
        went, limit, wait, kept, is_quiet, is_full, *verdicts = reply
        self._slow_down, self._sent, self._kept = SlowDown(), 0, kept
        self._ready_at = at + wait / 1000 if kept else 0.0
        self._quiet_until = at + QUIET if is_quiet else 0.0
        seconds = [v if v < 0 else v / 1000 for v in verdicts]
        seconds = seconds or [0.0] * went + [-1.0] * (len(rows) - went)
        if is_full:
            circuit_breaker.open_for(self.relay, seconds=_until_midnight(now))
        return _sorted(rows, seconds, now, wait=wait / 1000, limit=limit, is_full=bool(is_full))

    def _arguments(self, rows: list[Claimed], day: date, is_limited: bool) -> list[Any]:
        """Return the arguments of rate_limiter.lua, in its order."""
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
                f"{name} {share:.4f} {self._rates.get(name, self._any):g}\n"
                for name, share in slow_down.domains.items()
            ),
            int(is_limited),
            "".join(
                f"{'+' if _was_put_off(row) else '-'}{_domain(row)} {self._rate(row):g}\n"
                for row in rows
            ),
        ]

    def _by_itself(
        self, rows: list[Claimed], *, now: datetime, at: float, error: shared_redis.RedisUnavailable
    ) -> Admission:
        """Sort the batch without Redis, by the lane's share of the relay's floor rate."""
        if self._local is None:
            lanes = self.relay.connections
            self._local = LocalRateLimit(floor=self.relay.floor, lanes=lanes, at=at)
            rate = self.relay.floor / lanes
            logger.warning("Redis is unavailable; this lane sends at most %.3g/s: %s", rate, error)
        self._kept, self._ready_at, self._quiet_until = 0, 0.0, 0.0
        left = self._left(now, at)
        wanted = [(_domain(row), self._rate(row), _was_put_off(row)) for row in rows]
        seconds = self._local.verdicts(wanted, at=at, left=left)
        if self._share:
            counted_at, day, share = self._share
            self._share = counted_at, day, share - seconds.count(0)
        limit, wait = self._local.next(WINDOW)
        return _sorted(rows, seconds, now, wait=wait, limit=limit, is_full=left == 0)

    def _left(self, now: datetime, at: float) -> int | None:
        """Return this lane's share of what the relay still takes today, by the ledger's count."""
        if not self.relay.warmup:
            return None
        day = now.astimezone(UTC).date()
        if self._share is None or at - self._share[0] > RECOUNT or self._share[1] != day:
            left = max(0, self.relay.warmup.cap_on(day) - self._count(self.relay, day))
            self._share = at, day, left // self.relay.connections
        return self._share[2]


def _ask(arguments: Sequence[Any]) -> list[int]:
    reply: list[int] = shared_redis.run(lambda redis: _script(redis)(args=arguments))
    return reply


@cache
def _script(redis: Redis) -> Script:
    return redis.register_script(_SOURCE)


def _sorted(
    rows: Sequence[Claimed],
    seconds: Sequence[float],
    now: datetime,
    *,
    wait: float,
    limit: int,
    is_full: bool,
) -> Admission:
    """Sort each row by its figure: 0 send, below 0 release, else seconds until its next attempt."""
    found = Admission([], wait=wait, limit=limit, is_full=is_full)
    for row, later in zip(rows, seconds, strict=True):
        if later == 0:
            found.go.append(row)
        elif later < 0:
            found.back.append(row)
        else:
            found.later.append((row, now + timedelta(seconds=later)))
    return found


def _domain(row: Claimed) -> str:
    # A space would end the name in the script's arguments. No valid domain contains one.
    return "".join(row.email.rpartition("@")[2].lower().split()) or "?"


def _was_put_off(row: Claimed) -> bool:
    return bool(getattr(row, "throttled", False))


def _until_midnight(now: datetime) -> float:
    midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0)
    return max(1.0, (midnight - now).total_seconds())
