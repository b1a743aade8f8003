"""Keep to the floor rates within one lane, while Redis is gone and no lane knows of the others."""

from __future__ import annotations

from collections.abc import Sequence

# Seconds; a lane asks Redis again meanwhile.
LONGEST_WAIT = 5.0


class Bucket:
    """So many tokens a second, a second's worth at most."""

    def __init__(self, rate: float, *, at: float) -> None:
        self.rate, self.at = rate, at
        self.tokens = self.most = max(1.0, rate)

    def refill(self, at: float) -> None:
        self.tokens = min(self.most, self.tokens + self.rate * max(0.0, at - self.at))
        self.at = at

    def take(self, *, at: float) -> bool:
        self.refill(at)
        if self.tokens < 0.99:
            return False
        self.tokens -= 1
        return True

    def wait_for(self, tokens: int) -> float:
        return min(LONGEST_WAIT, max(0.0, (tokens - self.tokens) / self.rate))


class Alone:
    """One lane's share of its relay's floor and of the domains' rates."""

    def __init__(self, *, floor: float, lanes: int, at: float) -> None:
        self.lanes = lanes
        self.relay = Bucket(floor / lanes, at=at)
        self._domains: dict[str, Bucket] = {}

    def verdicts(
        self, domains: Sequence[tuple[str, float]], *, at: float, left: int | None
    ) -> list[float]:
        """For each row's domain and its rate (0: none): 0 go, -1 back, else seconds to wait.

        `left` is what the day still takes; None: anything.
        """
        found = []
        for domain, rate in domains:
            if left is not None and left <= 0:
                found.append(-1.0)
            elif rate and not self._domain(domain, rate, at).take(at=at):
                found.append(self.lanes / rate)
            elif not self.relay.take(at=at):
                found.append(-1.0)
            else:
                found.append(0.0)
                left = None if left is None else left - 1
        return found

    def next(self, most: int) -> tuple[int, float]:
        """How many to claim, and in how many seconds."""
        limit = max(1, min(most, int(self.relay.rate)))
        return limit, self.relay.wait_for(limit)

    def _domain(self, domain: str, rate: float, at: float) -> Bucket:
        if domain not in self._domains:
            self._domains[domain] = Bucket(rate / self.lanes, at=at)
        return self._domains[domain]
