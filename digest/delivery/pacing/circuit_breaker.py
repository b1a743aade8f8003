"""Keep lanes away from a relay that cannot be reached, then let one lane probe it.

This is a circuit breaker. While it is open no lane may use the relay; each failure opens it for
longer. While it is half open one lane at a time may probe the relay. It closes once a lane is
connected.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

from redis import Redis

from subscribers.mail.relays import Relay
from subscribers.plumbing import shared_redis

# Seconds.
FIRST_OPEN_SECONDS, MAX_OPEN_SECONDS = 5.0, 120.0
# How long after a failure the breaker stays half open, unless the relay recovers.
HALF_OPEN_SECONDS = 15 * 60.0
# How long one lane holds the probe. It is longer than a connection takes to open or to fail: a lane
# that has reported neither by then is dead.
PROBE_SECONDS = 20.0

_KEY = "digest:breaker:{}:{}"
_Result = TypeVar("_Result")


def record_failure(relay: Relay) -> None:
    """Open the breaker after a failed connection: for 5 s at first, doubling to 2 minutes.

    Lanes that fail at the same time count as one failure.
    """

    def open_breaker(marks: _Marks) -> None:
        failures = marks.count(_key("failed", relay))
        # Without jitter the lanes of all hosts would come back at the same moment.
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
        seconds = min(FIRST_OPEN_SECONDS * 2 ** min(failures, 10), MAX_OPEN_SECONDS) * jitter
        if marks.add(_key("open", relay), seconds):
            marks.increase(_key("failed", relay), HALF_OPEN_SECONDS)
        marks.drop(_key("probe", relay))

    _run(open_breaker)


def record_success(relay: Relay) -> None:
    """Close the breaker: a lane is connected, and the next failure counts as the first."""
    _run(lambda marks: marks.drop(*(_key(what, relay) for what in ("open", "failed", "probe"))))


def open_for(relay: Relay, *, seconds: float) -> None:
    """Open the breaker for `seconds` though nothing failed: the relay's daily cap is reached."""
    _run(lambda marks: marks.add(_key("capped", relay), seconds))


def is_open(relay: Relay) -> bool:
    return bool(unavailable([relay]))


def unavailable(relays: Sequence[Relay]) -> set[str]:
    """Return the names of the relays that no lane may use now."""
    keys = [_key(what, relay) for relay in relays for what in ("open", "capped")]
    present = _run(lambda marks: marks.present(keys))
    return {relay.name for n, relay in enumerate(relays) if any(present[2 * n : 2 * n + 2])}


def half_open(relays: Sequence[Relay]) -> set[str]:
    """Return the names of the relays that failed and are not known to have recovered."""
    present = _run(lambda marks: marks.present([_key("failed", relay) for relay in relays]))
    return {relay.name for relay, failed in zip(relays, present, strict=True) if failed}


def allow_probe(relay: Relay) -> bool:
    """Whether a lane may connect; while the breaker is half open, one lane at a time may.

    That lane then calls `record_success` or `record_failure`. If it dies, another lane may probe
    after 20 s.
    """

    def probe(marks: _Marks) -> bool:
        failed = marks.present([_key("failed", relay)])[0]
        return not failed or marks.add(_key("probe", relay), PROBE_SECONDS)

    return _run(probe)


def _key(what: str, relay: Relay) -> str:
    return _KEY.format(what, relay.name)


class _Marks(Protocol):
    """Marks that expire by themselves after some seconds."""

    def add(self, key: str, seconds: float) -> bool:
        """Set a mark; return True if there was none."""

    def increase(self, key: str, seconds: float) -> None: ...
    def count(self, key: str) -> int: ...
    def present(self, keys: Sequence[str]) -> list[bool]: ...
    def drop(self, *keys: str) -> None: ...


class _RedisMarks:
    """Marks in Redis, shared by all hosts."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    def add(self, key: str, seconds: float) -> bool:
        return bool(self.redis.set(key, 1, nx=True, px=max(1, int(seconds * 1000))))

    def increase(self, key: str, seconds: float) -> None:
        self.redis.incr(key)
        self.redis.pexpire(key, int(seconds * 1000))

    def count(self, key: str) -> int:
        return int(self.redis.get(key) or 0)

    def present(self, keys: Sequence[str]) -> list[bool]:
        return [value is not None for value in self.redis.mget(keys)] if keys else []

    def drop(self, *keys: str) -> None:
        self.redis.delete(*keys)


class _LocalMarks:
    """Marks of this process alone, used while Redis is unavailable."""

    def __init__(self) -> None:
        self.marks: dict[str, tuple[int, float]] = {}

    def add(self, key: str, seconds: float) -> bool:
        if self.count(key):
            return False
        self.marks[key] = 1, time.monotonic() + seconds
        return True

    def increase(self, key: str, seconds: float) -> None:
        self.marks[key] = self.count(key) + 1, time.monotonic() + seconds

    def count(self, key: str) -> int:
        number, until = self.marks.get(key, (0, 0.0))
        return number if time.monotonic() < until else 0

    def present(self, keys: Collection[str]) -> list[bool]:
        return [bool(self.count(key)) for key in keys]

    def drop(self, *keys: str) -> None:
        for key in keys:
            self.marks.pop(key, None)


_local_marks = _LocalMarks()


def _run(work: Callable[[_Marks], _Result]) -> _Result:
    try:
        return shared_redis.run(lambda redis: work(_RedisMarks(redis)))
    except shared_redis.RedisUnavailable:
        return work(_local_marks)


def reset_breakers_for_tests() -> None:
    """Drop the marks that this process holds alone."""
    _local_marks.marks.clear()
