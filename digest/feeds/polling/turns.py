"""Let few fetches of one host, and few slow ones, be under way at once, over all workers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# So many connections at once a publisher sees of us; browsers take six.
PER_HOST = 2
# Half of the processes of the workers that docs/deploying.md starts for the queue.
SLOW = 2
# Seconds after which a fetch counts as slow. Most feeds take less than one.
SLOW_SECONDS = 5.0


@contextmanager
def take_turn(*, host: str, is_slow: bool) -> Iterator[str]:
    """Hold a place among the host's fetches, and among the slow ones if it is one.

    Yields which of the two is full, `host` or `slow`; empty if the fetch may begin. The places are
    PostgreSQL's advisory locks, so those of a killed process are free at once.
    """
    held: list[tuple[int, int]] = []
    try:
        yield _taken(held, host=host, is_slow=is_slow)
    finally:
        for lock in held:
            _unlock(lock)


def _taken(held: list[tuple[int, int]], *, host: str, is_slow: bool) -> str:
    if is_slow and not _take_one(held, "digest.slow-fetch", SLOW):
        return "slow"
    return "" if _take_one(held, f"digest.fetch-host:{host}", PER_HOST) else "host"


def _take_one(held: list[tuple[int, int]], name: str, places: int) -> bool:
    kind = zlib.crc32(name.encode()) >> 1
    for number in range(places):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [kind, number])
            row = cursor.fetchone()
        if row and row[0]:
            held.append((kind, number))
            return True
    return False


def _unlock(lock: tuple[int, int]) -> None:
    # A database connection that broke has released its locks.
    if connection.connection is None or connection.connection.closed:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", list(lock))
