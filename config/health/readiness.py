"""Check what Daybreak needs, each within seconds, and say what is missing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config.health import heartbeats
from subscribers.plumbing import shared_redis

logger = logging.getLogger(__name__)

# Seconds to connect to PostgreSQL, and for which what was sent to it may stay unacknowledged.
DATABASE_SECONDS = 2


@dataclass(frozen=True)
class Result:
    """What a check found: an empty `problem` if all is well."""

    problem: str = ""
    # The seconds since the last heartbeat, if one was looked for and found.
    age: int | None = None


Results = dict[str, Result]


def check_web() -> Results:
    """Check what every page needs: the database, with all migrations of this code."""
    try:
        with _fresh_connection() as fresh:
            applied = set(MigrationRecorder(fresh).applied_migrations())
    except Error as error:
        # The reason may name hosts and users, so it stands in the log alone.
        logger.warning("The database is not ready: %s", error)
        unreachable = Result("The database cannot be reached.")
        return {"database": unreachable, "migrations": Result(f"Unknown. {unreachable.problem}")}
    missing = sorted(".".join(key) for key in _needed_migrations() - applied)
    return {"database": Result(), "migrations": Result(_not_applied(missing))}


def check_all() -> Results:
    """Check what pages need, and Redis, beat and the workers of each queue."""
    results = check_web()
    try:
        ages = heartbeats.ages()
    except shared_redis.RedisUnavailable as error:
        logger.warning("Redis is not ready: %s", error)
        unreachable = Result("Redis cannot be reached.")
        unknown = Result(f"Unknown. {unreachable.problem}")
        return results | {"redis": unreachable} | dict.fromkeys(heartbeats.expected(), unknown)
    return results | {"redis": Result()} | {name: _alive(age) for name, age in ages.items()}


@contextmanager
def _fresh_connection() -> Iterator[BaseDatabaseWrapper]:
    """Connect anew: a database that has stopped answering is then noticed in time.

    On a connection that is open already, nothing limits the wait for an answer.
    """
    fresh = connection.copy()
    fresh.settings_dict["OPTIONS"] = fresh.settings_dict["OPTIONS"] | {
        "connect_timeout": DATABASE_SECONDS,
        "tcp_user_timeout": DATABASE_SECONDS * 1000,
    }
    try:
        yield fresh
    finally:
        fresh.close()


@cache
def _needed_migrations() -> frozenset[tuple[str, str]]:
    """Return the app and name of each migration. The code of a running process stays the same."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _not_applied(missing: list[str]) -> str:
    if not missing:
        return ""
    named = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
    return f"Not applied: {len(missing)} ({named}). Run manage.py migrate."


def _alive(age: float | None) -> Result:
    if age is None:
        return Result("No heartbeat in the last hour.")
    late = age > heartbeats.ALIVE_SECONDS
    return Result("The last heartbeat was too long ago." if late else "", round(age))


def as_json(results: Results) -> dict[str, Any]:
    """Return the results in the form of draft-inadarei-api-health-check-06."""
    return {
        "status": "fail" if any(result.problem for result in results.values()) else "pass",
        "checks": {name: [_entry(result)] for name, result in results.items()},
    }


def _entry(result: Result) -> dict[str, Any]:
    entry: dict[str, Any] = {"status": "fail" if result.problem else "pass"}
    if result.problem:
        entry["output"] = result.problem
    if result.age is not None:
        entry |= {"observedValue": result.age, "observedUnit": "s"}
    return entry
