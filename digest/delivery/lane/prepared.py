"""Send a prepared statement, and do other work while PostgreSQL runs it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

import psycopg
from django.db import connection


class Statement:
    """A statement that was sent; `rows` waits for its result.

    Django's own cursors put the values into a statement's text and therefore cannot prepare it.
    Without preparation, planning the claim took longer than running it. The connection must not run
    another statement before `rows`; `finish_first` makes sure of that.
    """

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        connection.ensure_connection()
        with connection.wrap_database_errors:
            self._cursor = psycopg.Cursor(connection.connection)
            # psycopg's public API waits for the answer, or (in pipeline mode) commits only then.
            self._steps = self._cursor._execute_gen(text, values, prepare=True)
            # The generator runs to the point where it would wait; by then the statement is sent.
            self._waits_for = next(self._steps)

    def rows(self) -> list[Any]:
        with connection.wrap_database_errors, self._cursor:
            self._cursor.connection.wait(self._remaining_steps())
            return self._cursor.fetchall()

    def _remaining_steps(self) -> Generator[Any, Any, None]:
        state = self._waits_for
        while True:
            ready = yield state
            try:
                state = self._steps.send(ready)
            except StopIteration:
                return


def finish_first(finish: Callable[[], None]) -> Callable[..., Any]:
    """Return a wrapper for `connection.execute_wrapper` that calls `finish` before a statement."""

    def wrapped(execute: Callable[..., Any], *args: Any) -> Any:
        finish()
        return execute(*args)

    return wrapped
