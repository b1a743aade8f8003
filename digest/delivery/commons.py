"""Reach the Redis that all lanes share quickly, or know at once that it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

# A lane must not wait for a Redis that does not answer: not long, and not again and again.
TIMEOUT = 0.5
AGAIN_AFTER = 3.0

_Answer = TypeVar("_Answer")
_gone_until = 0.0


class Gone(Exception):
    """Redis does not answer; go on without it."""


def ask(question: Callable[[Redis], _Answer]) -> _Answer:
    """What `question` gets from Redis.

    Raises:
        Gone: where Redis fails, and then without asking until it has had some seconds.
    """
    global _gone_until
    if time.monotonic() < _gone_until:
        raise Gone
    try:
        return question(_client(settings.REDIS_URL))
    except (RedisError, OSError) as error:
        _gone_until = time.monotonic() + AGAIN_AFTER
        raise Gone(str(error)) from error


def forget() -> None:
    """Ask again at once."""
    global _gone_until
    _gone_until = 0.0


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
