"""Check what Daybreak needs, each within seconds, and say what is missing."""

from __future__ import annotations

import os
import socket
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Lock, Thread
from typing import Any

import psycopg
from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config.health import heartbeats
from subscribers.plumbing import shared_redis

# Seconds for which a check waits for the database.
DATABASE_SECONDS = 3.0
# Seconds after which PostgreSQL itself gives a query up, for example one that waits for a lock.
QUERY_SECONDS = 2.0


@dataclass(frozen=True)
class Result:
    """What a check found: an empty `problem` if all is well."""

    problem: str = ""
    # What the log says besides: it may name hosts and users, so nobody else is told.
    reason: str = ""
    # The seconds since the last heartbeat, if one was looked for and found.
    age: int | None = None


Results = dict[str, Result]
Migrations = frozenset[tuple[str, str]]


class _Database:
    """Asks the database over a connection of its own, which stays open.

    While PostgreSQL takes no more connections, pages work over those that they have, and so does
    this. A database may stop answering without closing the connection. So a thread asks, of which
    there is never more than one, and its connection is cut when the time is up.
    """

    def __init__(self) -> None:
        self._connection: BaseDatabaseWrapper | None = None
        self._answer: Future[Migrations] | None = None
        self._lock = Lock()

    def applied_migrations(self) -> Migrations:
        """Return the app and the name of each applied migration.

        Raises:
            django.db.Error: the database cannot be used.
            TimeoutError: it does not answer.
        """
        with self._lock:
            if self._answer is None or self._answer.done():
                self._answer = Future()
                Thread(target=self._ask, args=[self._answer], daemon=True).start()
            answer = self._answer
        try:
            return answer.result(timeout=DATABASE_SECONDS)
        except TimeoutError:
            self._cut()
            raise

    def _ask(self, answer: Future[Migrations]) -> None:
        try:
            if self._connection is None:
                self._connection = _copy_connection()
            if not self._connection.is_usable():
                self._connection.close()  # PostgreSQL was restarted
            answer.set_result(_applied_migrations(self._connection))
        except Exception as error:
            try:
                self.close()
            finally:  # without an answer no other thread would ever ask
                answer.set_exception(error)

    def _cut(self) -> None:
        """End what the thread waits for. Closing the connection would wait for the same."""
        if (own := self._connection) is not None and own.connection is not None:
            with (
                suppress(psycopg.Error, OSError),
                socket.socket(fileno=os.dup(own.connection.fileno())) as wire,
            ):
                wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        own, self._connection = self._connection, None
        if own is not None:
            own.close()


def _copy_connection() -> BaseDatabaseWrapper:
    own = connection.copy()
    own.settings_dict["AUTOCOMMIT"] = False
    own.settings_dict["OPTIONS"] = own.settings_dict["OPTIONS"] | {
        "connect_timeout": max(2, int(DATABASE_SECONDS))
    }
    own.inc_thread_sharing()
    return own


def _applied_migrations(own: BaseDatabaseWrapper) -> Migrations:
    # The limit is set for one transaction: a pooler may give the session to somebody else then.
    # Django's own function for the rest asks over the thread's connection, whatever it is given.
    with own.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {QUERY_SECONDS * 1000:.0f}")
        found = []
        if MigrationRecorder(own).has_table():
            cursor.execute("SELECT app, name FROM django_migrations")
            found = cursor.fetchall()
    own.rollback()
    return frozenset(found)


_database = _Database()


def check_web() -> Results:
    """Check what every page needs: the database, with all migrations of this code."""
    try:
        applied = _database.applied_migrations()
    except (Error, TimeoutError) as error:
        reason = str(error).strip() or f"no answer within {DATABASE_SECONDS:.0f} seconds"
        unreachable = Result("The database cannot be reached, or does not answer.", reason)
        return {"database": unreachable, "migrations": Result(f"Unknown. {unreachable.problem}")}
    missing = sorted(".".join(key) for key in _needed_migrations() - applied)
    return {"database": Result(), "migrations": Result(_not_applied(missing))}


def check_all() -> Results:
    """Check what pages need, and Redis, beat and the workers of each queue."""
    results = check_web()
    try:
        ages = heartbeats.ages()
    except shared_redis.RedisUnavailable as error:
        unusable = Result("Redis cannot be reached, or stores nothing.", str(error))
        unknown = Result(f"Unknown. {unusable.problem}")
        return results | {"redis": unusable} | dict.fromkeys(heartbeats.expected(), unknown)
    return results | {"redis": Result()} | {name: _alive(age) for name, age in ages.items()}


def reset_for_tests() -> None:
    """Close the checks' connection, so that the next check opens one."""
    _database.close()


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
        return Result("No heartbeat is known.")
    late = age > heartbeats.ALIVE_SECONDS
    return Result("The last heartbeat was too long ago." if late else "", age=round(age))


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
