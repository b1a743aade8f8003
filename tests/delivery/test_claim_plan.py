"""A claim finds its rows by their indexes, however PostgreSQL came to plan it."""

from itertools import pairwise

import pytest
from django.db import connection

from digest.delivery.claim import Claimant, claim
from digest.delivery.session import session
from tests.factories import NOW
from tests.plans import LONG, believe

pytestmark = pytest.mark.django_db


def test_a_query_plan_made_for_an_empty_ledger_uses_indexes_in_a_full_one(edition):
    believe(LONG)
    with session("lane-1"), connection.cursor() as cursor:
        # Its plan is made now, and kept; of an empty ledger reading everything costs least. As in
        # a new installation nothing is known of the ledger; that the rest is long plays no part.
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute("TRUNCATE digest_delivery")
        claim(Claimant(edition.pk, 1, "lane-1", "relay"), now=NOW)
        plans = kept_plans(cursor)

    assert plans
    for plan in plans:
        found = [
            condition.strip()
            for line, condition in pairwise(plan)
            if "Scan" in line and " on digest_delivery" in line
        ]
        # What was sent, what is due, and what of that is marked.
        by_id = [condition for condition in found if condition.startswith("Index Cond: (id = ")]
        assert (len(found), len(by_id)) == (3, 2), "\n".join(plan)
        assert all(condition.startswith("Index Cond:") for condition in found), "\n".join(plan)


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
