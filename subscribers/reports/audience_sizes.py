"""Count newsletters' readers: exactly up to ten thousand, as an estimate beyond."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

EXACT_UP_TO = 10_000

# Both counts read an index, and stop as soon as the number is beyond the exact ones.
_COUNT = """
SELECT n.id, (SELECT count(*) FROM (SELECT 1 FROM subscribers_subscription s
               WHERE s.newsletter_id = n.id AND s.status = 'active' LIMIT %(most)s) active),
             (SELECT count(*) FROM (SELECT 1 FROM subscribers_subscription s
               WHERE s.newsletter_id = n.id AND s.status = 'pending' LIMIT %(most)s) pending)
  FROM unnest(%(ids)s::bigint[]) AS n(id)
"""
# PostgreSQL's estimate from its statistics, which autovacuum keeps up to date.
_ESTIMATE = """
EXPLAIN (FORMAT JSON)
SELECT 1 FROM subscribers_subscription WHERE newsletter_id = %s AND status = %s
"""


@dataclass(frozen=True)
class Size:
    """A number of readers, exact or estimated."""

    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"about {self.number:,}"


def sizes(newsletter_ids: Iterable[int]) -> dict[int, tuple[Size, Size]]:
    """Return for each newsletter how many readers are active, and how many are pending."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"ids": list(newsletter_ids), "most": EXACT_UP_TO + 1})
        counted = cursor.fetchall()
    return {
        pk: (_size(pk, "active", active), _size(pk, "pending", pending))
        for pk, active, pending in counted
    }


def _size(newsletter_id: int, status: str, counted: int) -> Size:
    if counted <= EXACT_UP_TO:
        return Size(counted)
    with connection.cursor() as cursor:
        cursor.execute(_ESTIMATE, [newsletter_id, status])
        [[answer]] = cursor.fetchall()
    plan = json.loads(answer) if isinstance(answer, str) else answer
    # Two digits are enough: the statistics come from a sample, and from some time ago.
    expected = int(float(f"{plan[0]['Plan']['Plan Rows']:.2g}"))
    return Size(max(expected, EXACT_UP_TO), is_exact=False)
