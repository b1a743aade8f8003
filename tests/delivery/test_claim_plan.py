"""A claim finds its rows by their indexes, however PostgreSQL came to plan it."""

import pytest
from django.db import connection

from digest.delivery.claim import Claimant, claim
from digest.delivery.session import session
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_a_plan_made_for_an_empty_ledger_looks_up_each_row_in_a_full_one(edition):
    with session("lane-1"), connection.cursor() as cursor:
        # Its plan is made now, and kept; of an empty ledger reading everything costs least.
        cursor.execute("TRUNCATE digest_delivery")
        claim(Claimant(edition.pk, 1, "lane-1", "relay"), now=NOW)
        plans = kept_plans(cursor)

    assert plans
    for plan in plans:
        scans = [
            n for n, line in enumerate(plan) if "Scan" in line and " on digest_delivery" in line
        ]
        assert len(scans) == 3
        assert all("Index Cond:" in plan[n + 1] for n in scans), "\n".join(plan)


def kept_plans(cursor):
    """The lines of each plan that is kept for a claim: one for each choice of types in use."""
    cursor.execute(
        "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements"
        " WHERE statement LIKE '%recorded AS%'"
    )
    return [explained(cursor, *found) for found in cursor.fetchall()]


def explained(cursor, name, values):
    nothing = ", ".join(["NULL"] * values)
    cursor.execute(f'EXPLAIN EXECUTE "{name}" ({nothing})')
    return [line for (line,) in cursor.fetchall()]
