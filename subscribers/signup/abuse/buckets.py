"""Limits as leaky buckets, and their store in this process for when Redis is unavailable."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

# Every limit counts over this time.
PERIOD = timedelta(minutes=10)
# Above this share of the total limit, every sign-up needs a solved challenge for ATTACK_LASTS.
SOFT_SHARE = 0.8
ATTACK_LASTS = timedelta(minutes=30)
# Beyond the total limit, the sign-ups of this many more periods are accepted; their mails wait.
OVERFLOW_PERIODS = 6
# For rounding: a number divided and multiplied again is not exactly what it was.
_TOLERANCE = 0.001


class Purpose(enum.StrEnum):
    """What an attempt is for. The value ends the bucket names: each purpose has its own buckets."""

    SIGN_UP = ""
    LOST_LINK = ":link"


@dataclass(frozen=True)
class LeakyBucket:
    """A limit: `capacity` sign-ups in a PERIOD."""

    name: str
    capacity: int

    @property
    def interval(self) -> float:
        """Seconds after which there is room for one more."""
        return PERIOD.total_seconds() / self.capacity


@dataclass(frozen=True)
class LimitCheck:
    """One request to the limits; the last bucket is the total limit."""

    buckets: Sequence[LeakyBucket]
    # The id of the challenge that was solved, "" without one.
    solved: str = ""
    # Whether a challenge may be asked for.
    may_challenge: bool = True

    @property
    def soft_limit(self) -> float:
        return SOFT_SHARE * self.buckets[-1].capacity if self.may_challenge else -1

    @property
    def overflow(self) -> int:
        return OVERFLOW_PERIODS * self.buckets[-1].capacity


@dataclass(frozen=True)
class Decision:
    """The verdict: `go`, `challenge`, `replayed` or `full`.

    With `go` the mail goes out after `delay`. With `challenge` and `full`, `limit` is the name of
    the bucket that was reached.
    """

    verdict: str
    limit: str = ""
    delay: timedelta = timedelta(0)


class LocalBuckets:
    """The buckets of this process. It gives the same answers as limits.lua.

    It drops the oldest buckets beyond MAX_BUCKETS. A flood from so many networks is not stopped by
    a limit per network anyway, and the bucket of the total limit is always among the newest.
    """

    MAX_BUCKETS = 10_000

    def __init__(self) -> None:
        self.attack_until = 0.0
        self._empty_at: dict[str, float] = {}
        self._solved: dict[str, None] = {}
        self._lock = Lock()

    def admit(self, check: LimitCheck, *, now: datetime) -> Decision:
        with self._lock:
            if check.solved in self._solved:
                return Decision("replayed")
            decision = self._decide(check, now.timestamp())
            if decision.verdict == "go":
                self._fill(check, now.timestamp())
            return decision

    def _decide(self, check: LimitCheck, now: float) -> Decision:
        *before, last = check.buckets
        for bucket in before:
            if self._held(bucket, now) > bucket.capacity:
                return Decision("full", bucket.name)
        held = self._held(last, now)
        if not check.solved and check.may_challenge:
            if held > check.soft_limit:
                self.attack_until = now + ATTACK_LASTS.total_seconds()
            if now < self.attack_until:
                return Decision("challenge", last.name)
        if held > last.capacity + check.overflow:
            return Decision("full", last.name)
        return Decision("go", delay=timedelta(seconds=max(0, held - last.capacity) * last.interval))

    def _held(self, bucket: LeakyBucket, now: float) -> float:
        """Return how many sign-ups the bucket would hold with this one."""
        empty_at = self._empty_at.get(bucket.name, now)
        return max(0, empty_at - now) / bucket.interval + 1 - _TOLERANCE

    def _fill(self, check: LimitCheck, now: float) -> None:
        for bucket in check.buckets:
            empty_at = max(self._empty_at.pop(bucket.name, now), now)
            self._empty_at[bucket.name] = empty_at + bucket.interval
        if check.solved:
            self._solved[check.solved] = None
        for stored in (self._empty_at, self._solved):
            while len(stored) > self.MAX_BUCKETS:
                del stored[next(iter(stored))]
