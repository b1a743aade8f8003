"""Simulate a whole send in a moment: lanes, a ledger and receivers share one simulated clock.

Only the rate limiter and its Redis are real.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from digest.delivery.ledger import WINDOW
from digest.delivery.pacing.rate_limit import RateLimiter
from digest.delivery.transport.replies import SendOutcome, Verdict
from subscribers.mail.relays import Relay
from tests.factories import NOW

ACCEPTED = SendOutcome(Verdict.ACCEPTED, "250 ok")
DEFERRED = SendOutcome(Verdict.DEFERRED, "451 4.7.1 too fast")
RETRY_SECONDS = 60.0


@dataclass(frozen=True)
class SimulatedRow:
    delivery_id: int
    email: str
    throttled: bool = False


class RateLimitedReceiver:
    """A receiver that takes this many messages a second for each domain, or for `all` together."""

    def __init__(self, **rates: float) -> None:
        self.rates = {name.replace("_", "."): rate for name, rate in rates.items()}
        self.buckets: dict[str, tuple[float, float]] = {}

    def __call__(self, domain: str, at: float) -> SendOutcome:
        for name in (domain, "all"):
            if rate := self.rates.get(name):
                tokens, before = self.buckets.get(name, (rate, at))
                tokens = min(rate, tokens + rate * (at - before))
                self.buckets[name] = max(tokens - 1, 0.0) if tokens >= 1 else tokens, at
                if tokens < 1:
                    return DEFERRED
        return ACCEPTED


@dataclass
class Simulation:
    """Send to every address, and record what was claimed, accepted and deferred, and when."""

    relay: Relay
    speed: float = 250.0  # messages a second on one connection
    answer: Callable[[str, float], SendOutcome] = lambda domain, at: ACCEPTED
    until: float = 100_000.0
    at: float = 1_000_000.0
    claims: Counter[int] = field(default_factory=Counter)
    # The time and domain of each message that was accepted, and of each that was deferred.
    accepted: list[tuple[float, str]] = field(default_factory=list)
    deferred: list[tuple[float, str]] = field(default_factory=list)
    released: int = 0

    def send(self, addresses: Iterable[str]) -> Simulation:
        self.begun = self.at
        rows = [SimulatedRow(n, address) for n, address in enumerate(addresses)]
        due = [(self.at, row.delivery_id, row) for row in rows]
        lanes = [(self.at + 0.01 * n, n) for n in range(self.relay.connections)]
        rate_limiters = [RateLimiter(self.relay, clock=lambda: self.at) for _ in lanes]
        limits = [rate_limiter.admit([], now=NOW).limit for rate_limiter in rate_limiters]
        while due and self.at - self.begun < self.until:
            self.at, n = heapq.heappop(lanes)
            claimed = []
            while due and due[0][0] <= self.at and len(claimed) < min(limits[n], WINDOW):
                claimed.append(heapq.heappop(due)[2])
            if not claimed:
                heapq.heappush(lanes, (self.at + 0.25, n))
                continue
            wait, limits[n] = self._batch(rate_limiters[n], claimed, due)
            heapq.heappush(lanes, (self.at + wait, n))
        return self

    def _batch(self, rate_limiter, claimed, due) -> tuple[float, int]:  # type: ignore[no-untyped-def]
        self.claims.update(row.delivery_id for row in claimed)
        admission = rate_limiter.admit(claimed, now=NOW)
        sorted_rows = (admission.admitted, admission.throttled, admission.released)
        assert sum(map(len, sorted_rows)) == len(claimed)
        for row in admission.released:
            self.released += 1
            heapq.heappush(due, (self.at, row.delivery_id, row))
        for row, time in admission.throttled:
            due_at = self.at + (time - NOW) / timedelta(seconds=1)
            heapq.heappush(
                due, (due_at, row.delivery_id, SimulatedRow(row.delivery_id, row.email, True))
            )
        for number, row in enumerate(admission.admitted):
            domain, moment = row.email.rpartition("@")[2], self.at + number / self.speed
            outcome = self.answer(domain, moment)
            rate_limiter.record_outcome(row, outcome)
            (self.accepted if outcome is ACCEPTED else self.deferred).append((moment, domain))
            if outcome is not ACCEPTED:
                due_at = moment + RETRY_SECONDS * (0.5 + row.delivery_id % 50 / 100)
                heapq.heappush(
                    due, (due_at, row.delivery_id, SimulatedRow(row.delivery_id, row.email))
                )
        return len(admission.admitted) / self.speed + admission.wait, admission.limit

    @property
    def claims_per_row(self) -> float:
        return self.claims.total() / len(self.claims)

    def rate(self, domain: str = "", *, begin: float = 0, end: float = 1e9) -> float:
        """Return the messages a second to one domain or all, in a span counted from the start."""
        sent = sorted(self.accepted + self.deferred)
        times = [at - self.begun for at, name in sent if domain in ("", name)]
        times = [at for at in times if begin <= at < end]
        return len(times) / (min(end, times[-1]) - begin)

    def busiest(self, domain: str = "", *, seconds: float) -> int:
        """Return the most messages that went out in any span of `seconds`."""
        sent = sorted(self.accepted + self.deferred)
        times = [at for at, name in sent if domain in ("", name)]
        first, most = 0, 0
        for last, at in enumerate(times):
            while at - times[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most
