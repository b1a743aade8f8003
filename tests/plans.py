"""How PostgreSQL would answer what a piece of code asks, were the tables long."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def plans_of(table: str) -> Iterator[list[str]]:
    """Collect the plans of the statements that name the table, run in a test's transaction.

    A test's tables are short, and reading them whole is the quickest; so that is forbidden.
    """
    plans: list[str] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if table in sql and sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            with connection.connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
                cursor.execute(f"EXPLAIN {sql}", params)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
                cursor.execute("SET LOCAL enable_seqscan = on")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield plans
