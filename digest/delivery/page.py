"""Insert the ledger's rows for one batch of an edition's readers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from digest.editions import waves
from digest.models import Edition
from subscribers.models import Subscription

# If an edition is planned again, readers who confirmed since then are added.
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

# Where an edition goes by the readers' clocks, the batch is kept in a temporary table while Python
# computes the turns of its zones and hours. Reading the batch twice took half as long again.
_KEEP = """
CREATE TEMPORARY TABLE digest_page ON COMMIT DROP AS
SELECT page.id, page.timezone, page.preferred FROM ({page}) AS page (id, timezone, preferred)
"""
_GROUPS = "SELECT timezone, preferred, count(*) FROM digest_page GROUP BY 1, 2"
_PLAN_WAVES = """
WITH turn AS (
    SELECT * FROM unnest(%s::text[], %s::time[], %s::timestamptz[]) AS t (timezone, preferred, at)
),
added AS (
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, due_at, lane, reply, relay, revision)
    SELECT %s, page.id, 'pending', '', 0, turn.at, turn.at, '', '', '', 0
      FROM digest_page page
      JOIN turn ON turn.timezone = page.timezone
       AND COALESCE(turn.preferred, '24:00') = COALESCE(page.preferred, '24:00')
     ORDER BY page.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
 RETURNING 1
)
SELECT (SELECT max(id) FROM digest_page), (SELECT count(*) FROM digest_page),
       (SELECT count(*) FROM added)
"""
_DROP = "DROP TABLE digest_page"


class Page(NamedTuple):
    """A batch's last subscription (None if the batch is empty) and its number of readers."""

    last: int | None
    found: int


def add(edition: Edition, readers: QuerySet[Subscription], *, now: datetime) -> Page:
    """Add a row for each of the readers who has none.

    `readers` are ordered and limited to one batch. Each batch needs a transaction of its own.
    """
    if edition.local_time is None:
        page, params = readers.values_list("pk", flat=True).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(_PLAN.format(page=page), [*params, edition.pk, now])
            return _page(cursor)
    return _add_by_turns(edition, readers, now)


def _add_by_turns(edition: Edition, readers: QuerySet[Subscription], now: datetime) -> Page:
    columns = readers.values_list("pk", "subscriber__timezone", "preferred_time")
    page, params = columns.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_KEEP.format(page=page), params)
        cursor.execute(_GROUPS)
        turns = waves.timed(edition, cursor.fetchall(), now=now)
        values: list[Any] = [
            [turn.timezone for turn in turns],
            [turn.preferred for turn in turns],
            [turn.at for turn in turns],
        ]
        cursor.execute(_PLAN_WAVES, [*values, edition.pk])
        found = _page(cursor)
        cursor.execute(_DROP)
    return found


def _page(cursor: Any) -> Page:
    last, found, _added = cursor.fetchone()
    return Page(last, found)
