"""Run a prepared statement, and do something else while PostgreSQL is at it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import psycopg
from django.db import connection


class Statement:
    """A statement that was sent; `rows` waits for what it returns.

    Django's own cursors put the values into the text of a statement, so they cannot prepare one:
    planning the claim anew each time took longer than running it. Nothing else may be asked of
    the connection before `rows`; `finish_first` sees to that.
    """

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        connection.ensure_connection()
        with connection.wrap_database_errors:
            self._cursor = psycopg.Cursor(connection.connection)
            # psycopg's public ways wait for the answer, or (its pipeline) commit only then.
            self._steps = self._cursor._execute_gen(text, values, prepare=True)
            # Up to where it would wait: the statement is on its way.
            self._waits_for = next(self._steps)

    def rows(self) -> list[Any]:
        with connection.wrap_database_errors, self._cursor:
            self._cursor.connection.wait(self._rest())
            return self._cursor.fetchall()

    def _rest(self) -> Generator[Any, Any, None]:
        state = self._waits_for
        while True:
            ready = yield state
            try:
                state = self._steps.send(ready)
            except StopIteration:
                return


def finish_first(finish: Callable[[], None]) -> Callable[..., Any]:
    """A wrapper for `connection.execute_wrapper`: calls `finish` before any other statement."""

    def wrapped(execute: Callable[..., Any], *asked: Any) -> Any:
        finish()
        return execute(*asked)

    return wrapped
