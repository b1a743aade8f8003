"""Keep one lane to its share of the rates while Redis, with the shared buckets, is unavailable."""

from __future__ import annotations

from collections.abc import Sequence

# Seconds. After that a lane asks Redis again.
LONGEST_WAIT = 5.0


class TokenBucket:
    """A token bucket filled at `rate` a second; it starts with one second's worth of tokens.

    It holds at most `seconds` seconds' worth.
    """

    def __init__(self, rate: float, *, at: float, seconds: float = 1) -> None:
        self.rate, self.at = rate, at
        self.tokens, self.capacity = max(1.0, rate), max(1.0, rate * seconds)

    def refill(self, at: float) -> None:
        self.tokens = min(self.capacity, self.tokens + self.rate * max(0.0, at - self.at))
        self.at = at

    def take(self, *, at: float, needed: float = 0.99) -> bool:
        self.refill(at)
        if self.tokens < needed:
            return False
        self.tokens -= 1
        return True

    def wait_for(self, tokens: int) -> float:
        return min(LONGEST_WAIT, max(0.0, (tokens - self.tokens) / self.rate))


class DomainBucket(TokenBucket):
    """A domain's share, in which each row that waits has its own turn (as in rate_limit.lua)."""

    def __init__(self, rate: float, *, at: float) -> None:
        super().__init__(rate, at=at, seconds=2)
        self.horizon = at

    def wait(self, *, at: float, was_throttled: bool) -> float:
        """Return 0 if the row may be sent now, else the seconds until its own turn."""
        # A row that comes for the first time may not take a token that another row waits for.
        may_take_any = was_throttled or self.horizon <= at
        if self.take(at=at, needed=0.99 if may_take_any else 0.75 * self.capacity + 1):
            return 0.0
        self.horizon = max(self.horizon, at) + 1 / self.rate
        return self.horizon - at


class LocalRateLimit:
    """One lane's share of its relay's floor and of the domains' rates."""

    def __init__(self, *, floor: float, lanes: int, at: float) -> None:
        self.lanes = lanes
        self.relay = TokenBucket(floor / lanes, at=at)
        self._domains: dict[str, DomainBucket] = {}

    def waits(
        self, domains: Sequence[tuple[str, float, bool]], *, at: float, left: int | None
    ) -> list[float]:
        """Return for each row 0 (send it), -1 (release it) or the seconds that it must wait.

        Each row is given as its domain, the domain's rate (0: no limit) and whether it was
        throttled before. `left` is how many messages the relay still takes today (None: no limit).
        """
        waits = []
        for name, rate, was_throttled in domains:
            if left is not None and left <= 0:
                waits.append(-1.0)
                continue
            domain = self._domain(name, rate, at) if rate else None
            wait = domain.wait(at=at, was_throttled=was_throttled) if domain else 0.0
            if not wait and not self.relay.take(at=at):
                wait = -1.0
                if domain:
                    domain.tokens += 1
            elif not wait and left is not None:
                left -= 1
            waits.append(wait)
        return waits

    def next_window(self, max_rows: int) -> tuple[int, float]:
        """Return how many rows to claim next, and in how many seconds."""
        limit = max(1, min(max_rows, int(self.relay.rate)))
        return limit, self.relay.wait_for(limit)

    def _domain(self, name: str, rate: float, at: float) -> DomainBucket:
        if name not in self._domains:
            self._domains[name] = DomainBucket(rate / self.lanes, at=at)
        return self._domains[name]
