"""Reach the Redis that all processes share quickly, or know at once that it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

# Seconds. No lane and no page waits for a Redis that does not answer: not long, and not each time.
# What was a hiccup alone is over soon, so the first pause is short; each further one is twice as
# long.
TIMEOUT = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0

_Answer = TypeVar("_Answer")


class Gone(Exception):
    """Redis does not answer; go on without it."""


@dataclass
class _Failing:
    """What this process knows of Redis' absence."""

    pause: float = 0.0
    until: float = 0.0


_failing = _Failing()


def ask(question: Callable[[Redis], _Answer]) -> _Answer:
    """What `question` gets from Redis.

    Raises:
        Gone: where Redis fails, and then without asking until a pause is over.
    """
    if time.monotonic() < _failing.until:
        raise Gone("it did not answer a moment ago")
    try:
        answer = question(_client(settings.REDIS_URL))
    except (RedisError, OSError) as error:
        _failing.pause = min(max(FIRST_PAUSE, 2 * _failing.pause), LONGEST_PAUSE)
        _failing.until = time.monotonic() + _failing.pause
        raise Gone(str(error)) from error
    _failing.pause = 0.0
    return answer


def forget() -> None:
    """Ask again at once."""
    _failing.pause = _failing.until = 0.0


@cache
def _client(url: str) -> Redis:
    # One try, not redis-py's three; its pool sees by itself that the process was forked.
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
