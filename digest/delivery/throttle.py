"""Say which readers may be written to now, so that no relay and no domain is hurried."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from digest.delivery.claim import WINDOW, Claimed
from digest.delivery.replies import Outcome
from subscribers.relays import Relay


@dataclass(frozen=True, slots=True)
class Admission:
    """What may be done with a batch; every row stands in one of the three lists."""

    # To be sent now.
    go: list[Claimed]
    # Their domain has no room: back to pending, uncounted, reason "throttled", until that time.
    later: list[tuple[Claimed, datetime]] = field(default_factory=list)
    # The relay has no room: back to pending, uncounted.
    back: list[Claimed] = field(default_factory=list)
    # Seconds until the next claim; sleep so long whatever became of this one.
    wait: float = 0.0
    # How many to claim then.
    limit: int = WINDOW
    # The relay's share of the day is used up: end the lane, berths passes the relay over.
    is_full: bool = False


class Throttle:
    """What one lane knows of its relay's and its readers' rates."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    def admit(self, rows: list[Claimed], *, now: datetime) -> Admission:
        """Sort a claimed batch into what goes and what waits; never raises for Redis.

        `rows` may be empty: a lane that asks before its first claim learns `limit` and `wait`,
        and has nothing to put back.
        """
        return Admission(rows)

    def note(self, row: Claimed, outcome: Outcome) -> None:
        """Learn from the relay's answer; the next `admit` acts on it."""
