"""Count requests in Redis, and say whether there have been too many."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from redis import Redis

from subscribers.plumbing import shared_redis

logger = logging.getLogger(__name__)

WINDOW = 60
# This is one step, so that a counter can never be left without its expiry.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""


@dataclass(frozen=True)
class QuotaUse:
    """How much of a quota is used; `resets_in` is in seconds."""

    name: str
    limit: int
    count: int
    resets_in: int
    window: int = WINDOW

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.count)

    @property
    def is_over(self) -> bool:
        return self.count > self.limit


def count_request(name: str, who: str, *, limit: int) -> QuotaUse:
    """Count one request of `who` against the quota `name`; without Redis there is no limit."""
    window, elapsed = divmod(int(time.time()), WINDOW)
    key = f"daybreak:api:{name}:{who}:{window}"
    try:
        count = shared_redis.run(lambda redis: _count(redis, key))
    except shared_redis.RedisUnavailable as error:
        logger.warning("Redis is unavailable; the API has no rate limit: %s", error)
        count = 0
    return QuotaUse(name=name, limit=limit, count=count, resets_in=WINDOW - elapsed)


def _count(redis: Redis, key: str) -> int:
    return int(redis.eval(_COUNT, 1, key, str(WINDOW)))
