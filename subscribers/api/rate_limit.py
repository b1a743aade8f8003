"""Count requests, over all web servers together, and say whether there have been too many."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.cache import cache

PERIOD = 60


@dataclass(frozen=True)
class QuotaUse:
    """How much of a quota is used; `resets_in` and `period` are in seconds."""

    name: str
    limit: int
    count: int
    resets_in: int
    period: int = PERIOD

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.count)

    @property
    def is_over(self) -> bool:
        return self.count > self.limit


def count_request(name: str, who: str, *, limit: int) -> QuotaUse:
    """Count one request of `who` against the quota `name`.

    Without Redis each web process counts for itself: n processes allow n times as many requests.
    """
    number, elapsed = divmod(int(time.time()), PERIOD)
    count = _count(f"api:{name}:{who}:{number}")
    return QuotaUse(name=name, limit=limit, count=count, resets_in=PERIOD - elapsed)


def _count(key: str) -> int:
    # It is kept for longer than it counts, so that it cannot expire between these two steps.
    if cache.add(key, 1, timeout=2 * PERIOD):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:
        # Redis became available or unavailable between these two steps.
        return 1
