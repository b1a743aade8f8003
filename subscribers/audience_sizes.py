"""Say how many readers newsletters have: exactly up to ten thousand, about how many beyond."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

COUNTED = 10_000

# Each is counted along an index and no further than it is told exactly.
_COUNT = """
SELECT n.id, (SELECT count(*) FROM (SELECT 1 FROM subscribers_subscription s
               WHERE s.newsletter_id = n.id AND s.status = 'active' LIMIT %(most)s) active),
             (SELECT count(*) FROM (SELECT 1 FROM subscribers_subscription s
               WHERE s.newsletter_id = n.id AND s.status = 'pending' LIMIT %(most)s) pending)
  FROM unnest(%(ids)s::bigint[]) AS n(id)
"""
# What PostgreSQL expects by its statistics, which autovacuum keeps.
_ESTIMATE = """
EXPLAIN (FORMAT JSON)
SELECT 1 FROM subscribers_subscription WHERE newsletter_id = %s AND status = %s
"""


@dataclass(frozen=True)
class Size:
    """So many, or about so many."""

    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"about {self.number:,}"


def sizes(newsletter_ids: Iterable[int]) -> dict[int, tuple[Size, Size]]:
    """Return of each newsletter its active readers, and those who have yet to confirm."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"ids": list(newsletter_ids), "most": COUNTED + 1})
        counted = cursor.fetchall()
    return {
        pk: (_size(pk, "active", active), _size(pk, "pending", pending))
        for pk, active, pending in counted
    }


def _size(newsletter_id: int, status: str, counted: int) -> Size:
    if counted <= COUNTED:
        return Size(counted)
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATE, [newsletter_id, status])
        [[answer]] = cursor.fetchall()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    # Two digits: the statistics are of a sample, and from some time ago.
    expected = int(float(f"{plan[0]['Plan']['Plan Rows']:.2g}"))
    return Size(max(expected, COUNTED), is_exact=False)
