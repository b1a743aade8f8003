"""Show the query plans that PostgreSQL would choose for a piece of code on large tables."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# The number of readers for which the docs make promises.
MANY_ROWS = 10_000_000

# The planner scales the number of rows by the growth of the file, so the real length of the file
# goes in. All pages count as all-visible: a large table is vacuumed, so an index alone suffices for
# nearly all of its pages.
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


def assume_rows(rows: int) -> None:
    """Make PostgreSQL assume that each table has this many rows, with unknown values.

    Otherwise a plan would depend on what earlier tests left in the files, and on the time of the
    last ANALYZE. The end of the test's transaction undoes this.
    """
    assert connection.in_atomic_block
    with connection.connection.cursor() as cursor:
        cursor.execute(_ROWS, [rows])
        cursor.execute(_VALUES)


def query_plan(sql: str, params: Any = None) -> str:
    """Return the current plan of a statement. Fail if one of its tables has no row.

    PostgreSQL takes an empty file for an empty table, whatever the statistics say. Whether the file
    of an empty table is empty depends on earlier tests.
    """
    with connection.connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        for table in set(re.findall(r"(?<!Bitmap Index )Scan.* on (\w+)", plan)):
            cursor.execute(f"TABLE {table} LIMIT 1")
            assert cursor.fetchone(), f"{table} has no row, so this says nothing:\n{plan}"
    return plan


@contextmanager
def collect_plans(table: str) -> Iterator[list[str]]:
    """Collect the plans of the statements that name the table. It needs a test's transaction."""
    plans: list[str] = []

    def collect(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if table in sql and sql.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            plans.append(query_plan(sql, params))
        return execute(sql, params, many, context)

    assume_rows(MANY_ROWS)
    with connection.execute_wrapper(collect):
        yield plans
