"""A claim finds its rows by index, whatever PostgreSQL knew when it planned the statement."""

from itertools import pairwise

import pytest
from django.db import connection

from digest.delivery.lane.claim import Claimant, PendingClaim
from digest.delivery.lane.db_session import lane_session
from tests.factories import NOW
from tests.support.query_plans import MANY_ROWS, assume_rows

pytestmark = pytest.mark.django_db


def test_a_query_plan_made_for_an_empty_ledger_uses_indexes_in_a_full_one(edition):
    assume_rows(MANY_ROWS)
    with lane_session("lane-1"), connection.cursor() as cursor:
        # PostgreSQL plans the statement now, and keeps the plan. On an empty ledger a full scan
        # costs least. As in a new installation, there are no statistics of the ledger. That the
        # other tables are long does not matter here.
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute("TRUNCATE digest_delivery")
        PendingClaim(Claimant(edition.pk, 1, "lane-1", "relay"), now=NOW).window()
        plans = kept_plans(cursor)

    assert plans
    for plan in plans:
        found = [
            condition.strip()
            for line, condition in pairwise(plan)
            if "Scan" in line and " on digest_delivery" in line
        ]
        # One scan finds the rows sent, one the rows due, and one the due rows that are marked.
        by_id = [condition for condition in found if condition.startswith("Index Cond: (id = ")]
        assert (len(found), len(by_id)) == (3, 2), "\n".join(plan)
        assert all(condition.startswith("Index Cond:") for condition in found), "\n".join(plan)


def kept_plans(cursor):
    """Return the lines of each plan kept for a claim: one for each choice of parameter types."""
    cursor.execute(
        "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements"
        " WHERE statement LIKE '%recorded AS%'"
    )
    return [explained(cursor, *found) for found in cursor.fetchall()]


def explained(cursor, name, values):
    nothing = ", ".join(["NULL"] * values)
    cursor.execute(f'EXPLAIN EXECUTE "{name}" ({nothing})')
    return [line for (line,) in cursor.fetchall()]
