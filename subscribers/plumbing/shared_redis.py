"""Run commands in the Redis that all processes share, and fail fast while it is unavailable."""

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

# Seconds. No lane and no page may wait long, or each time, for a Redis that does not answer.
# A mere hiccup is over soon, so the first pause is short. Each further pause is twice as long.
TIMEOUT = 0.5
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0

_Result = TypeVar("_Result")


class RedisUnavailable(Exception):
    """Redis does not answer; the caller continues without it."""


# How each connection pool connects: with one try, instead of redis-py's three.
CONNECTION = {
    "socket_timeout": TIMEOUT,
    "socket_connect_timeout": TIMEOUT,
    "retry": Retry(NoBackoff(), 0),
}


@dataclass
class _Failing:
    """Until when this process leaves a failing Redis alone."""

    pause: float = 0.0
    until: float = 0.0


_failing = _Failing()


def run(command: Callable[[Redis], _Result]) -> _Result:
    """Return the result of `command` from Redis.

    Raises:
        RedisUnavailable: Redis failed. Until a pause is over, further calls raise this without
            asking Redis.
    """
    return guard(lambda: command(_client(settings.REDIS_URL)))


def guard(call: Callable[[], _Result]) -> _Result:
    """Return what `call` returns; it asks Redis itself, by another client. See `run`."""
    if time.monotonic() < _failing.until:
        raise RedisUnavailable("Redis did not answer a moment ago")
    try:
        result = call()
    except (RedisError, OSError) as error:
        _failing.pause = min(max(FIRST_PAUSE, 2 * _failing.pause), LONGEST_PAUSE)
        _failing.until = time.monotonic() + _failing.pause
        raise RedisUnavailable(str(error)) from error
    _failing.pause = 0.0
    return result


def reset_redis_for_tests() -> None:
    """End the pause, so that the next call asks Redis."""
    _failing.pause = _failing.until = 0.0


@cache
def _client(url: str) -> Redis:
    # The pool notices by itself that the process was forked.
    return Redis.from_url(url, decode_responses=True, **CONNECTION)
