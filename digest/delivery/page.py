"""Add a page of an edition's readers to the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from digest.editions import waves
from digest.models import Edition
from subscribers.models import Subscription

# Planning again adds those who confirmed since.
_PLAN = """
WITH page (id) AS MATERIALIZED ({page}),
added AS (
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, lane, reply, relay, revision)
    SELECT %s, page.id, 'pending', '', 0, %s, '', '', '', 0 FROM page ORDER BY page.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
 RETURNING 1
)
SELECT (SELECT max(id) FROM page), (SELECT count(*) FROM page), (SELECT count(*) FROM added)
"""

# By the readers' clocks. What the zones and hours of this page come to was worked out before; who
# has chosen others in the meantime gets the newsroom's, and then their own (waves.retime).
_PLAN_WAVES = """
WITH page (id, timezone, preferred) AS MATERIALIZED ({page}),
turn AS (
    SELECT * FROM unnest(%s::text[], %s::time[], %s::timestamptz[]) AS t(timezone, preferred, at)
),
added AS (
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, due_at, lane, reply, relay, revision)
    SELECT %s, page.id, 'pending', '', 0, COALESCE(turn.at, %s), COALESCE(turn.at, %s), '', '',
           '', 0
      FROM page
      LEFT JOIN turn ON turn.timezone = page.timezone
       AND COALESCE(turn.preferred, '24:00') = COALESCE(page.preferred, '24:00')
     ORDER BY page.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
 RETURNING 1
)
SELECT (SELECT max(id) FROM page), (SELECT count(*) FROM page), (SELECT count(*) FROM added)
"""


class Page(NamedTuple):
    """The last subscription of a page, and how many it has; None of an empty one."""

    last: int | None
    found: int


def add(edition: Edition, readers: QuerySet[Subscription], *, now: datetime) -> Page:
    """Add a row for each of the readers (ordered, and cut to a page) who has none."""
    if edition.local_time is None:
        page, params = readers.values_list("pk", flat=True).query.sql_with_params()
        return _execute(_PLAN.format(page=page), [*params, edition.pk, now])
    # A slice cannot be grouped; its ids can.
    found = waves.turns(edition, Subscription.objects.filter(pk__in=readers.values("pk")), now=now)
    columns = [[t.timezone for t in found], [t.preferred for t in found], [t.at for t in found]]
    page, params = readers.values_list(
        "pk", "subscriber__timezone", "preferred_time"
    ).query.sql_with_params()
    home = waves.turn_of(edition, timezone="", preferred=None, now=now)
    values = [*params, *columns, edition.pk, home, home]
    return _execute(_PLAN_WAVES.format(page=page), values)


def _execute(statement: str, values: list[Any]) -> Page:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        last, found, _added = cursor.fetchone()
    return Page(last, found)
