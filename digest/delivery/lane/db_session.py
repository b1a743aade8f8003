"""Set up a lane's database session: a lock that proves it lives, and plans for any table size."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import connection

# A lane's statements look up a few rows by their indexes, whatever the planner's statistics say.
# For a table that grew by a million rows a moment ago they are those of an empty table. The planner
# then read the whole table for every window (measured: 400 ms instead of 3).
_BY_INDEX = ("enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin")

# An advisory lock ends with the session that took it. A lane that is killed is therefore known to
# be dead immediately, with no lease to wait for.
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('digest.lane:' || %s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('digest.lane:' || %s, 0))"


@contextmanager
def lane_session(lane: str) -> Iterator[None]:
    """Hold the lane's lock, with settings that prepare and plan statements for a lane."""
    _prepare(lane)
    try:
        yield
    finally:
        _end(lane)


def _prepare(lane: str) -> None:
    with connection.cursor() as cursor:
        for name in _BY_INDEX:
            cursor.execute(f"SET {name} = off")
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        cursor.execute(_LOCK, [lane])
    # Django's default is None, which switches prepared statements off.
    connection.connection.prepare_threshold = 0


def _end(lane: str) -> None:
    # A database connection that broke has lost its settings and its locks.
    if connection.connection is None or connection.connection.closed:
        return
    connection.connection.prepare_threshold = None
    with connection.cursor() as cursor:
        cursor.execute(_UNLOCK, [lane])
        for name in (*_BY_INDEX, "plan_cache_mode"):
            cursor.execute(f"RESET {name}")


def dead_lanes(lanes: Collection[str]) -> list[str]:
    """Return those of the lanes whose database session is gone."""
    return [lane for lane in lanes if _is_dead(lane)]


def _is_dead(lane: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [lane])
        (is_free,) = cursor.fetchone()
        if is_free:
            cursor.execute(_UNLOCK, [lane])
    return bool(is_free)
