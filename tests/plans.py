"""How PostgreSQL would answer what a piece of code asks, were the tables long."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# Readers, as the docs promise for.
LONG = 10_000_000

# The planner scales the rows by how much longer the file is now, so its length goes in as it is. An
# index alone can answer for nearly all pages of a long table, since that is vacuumed.
_ROWS = """
    SELECT pg_restore_relation_stats(
               'schemaname', 'public', 'relname', relname::text, 'reltuples', %s::real,
               'relpages', pages, 'relallvisible', CASE WHEN relkind = 'r' THEN pages ELSE 0 END)
      FROM pg_class, LATERAL (
               SELECT greatest(1, pg_relation_size(oid) / current_setting('block_size')::int)::int
           ) AS file (pages)
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""
_VALUES = """
    SELECT pg_clear_attribute_stats('public', tablename::text, attname::text, inherited)
      FROM pg_stats WHERE schemaname = 'public'
"""


def believe(rows: int) -> None:
    """Let PostgreSQL take each table for one of so many rows, of whose values it knows nothing.

    Otherwise a plan hangs on what the tests before left in the files, and on when an ANALYZE came
    by. With the test's transaction it is forgotten.
    """
    assert connection.in_atomic_block
    with connection.connection.cursor() as cursor:
        cursor.execute(_ROWS, [rows])
        cursor.execute(_VALUES)


def explained(sql: str, params: Any = None) -> str:
    """The plan of a statement as it is made now, of tables with a row at least.

    An empty file is an empty table to PostgreSQL, whatever else it believes; and whether the file
    of an empty table is empty hangs on the tests before.
    """
    with connection.connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        for table in set(re.findall(r"(?<!Bitmap Index )Scan.* on (\w+)", plan)):
            cursor.execute(f"TABLE {table} LIMIT 1")
            assert cursor.fetchone(), f"{table} has no row, so this says nothing:\n{plan}"
    return plan


@contextmanager
def plans_of(table: str) -> Iterator[list[str]]:
    """Collect the plans of the statements that name the table, run in a test's transaction."""
    plans: list[str] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if table in sql and sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            plans.append(explained(sql, params))
        return execute(sql, params, many, context)

    believe(LONG)
    with connection.execute_wrapper(look):
        yield plans
