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
WITH batch (id) AS MATERIALIZED ({batch}),
added AS (
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, lane, reply, relay, revision)
    SELECT %s, batch.id, 'pending', '', 0, %s, '', '', '', 0 FROM batch ORDER BY batch.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
 RETURNING 1
)
SELECT (SELECT max(id) FROM batch), (SELECT count(*) FROM batch), (SELECT count(*) FROM added)
"""

# Where an edition goes by the readers' clocks, the batch is kept in a temporary table while Python
# computes the turns of its zones and hours. Reading the batch twice took half as long again.
_KEEP = """
CREATE TEMPORARY TABLE digest_batch ON COMMIT DROP AS
SELECT batch.id, batch.timezone, batch.preferred FROM ({batch}) AS batch (id, timezone, preferred)
"""
_GROUPS = "SELECT timezone, preferred, count(*) FROM digest_batch GROUP BY 1, 2"
_PLAN_WAVES = """
WITH turn AS (
    SELECT * FROM unnest(%s::text[], %s::time[], %s::timestamptz[]) AS t (timezone, preferred, at)
),
added AS (
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, due_at, lane, reply, relay, revision)
    SELECT %s, batch.id, 'pending', '', 0, turn.at, turn.at, '', '', '', 0
      FROM digest_batch batch
      JOIN turn ON turn.timezone = batch.timezone
       AND COALESCE(turn.preferred, '24:00') = COALESCE(batch.preferred, '24:00')
     ORDER BY batch.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
 RETURNING 1
)
SELECT (SELECT max(id) FROM digest_batch), (SELECT count(*) FROM digest_batch),
       (SELECT count(*) FROM added)
"""
_DROP = "DROP TABLE digest_batch"


class ReaderBatch(NamedTuple):
    """A batch's last subscription (None if the batch is empty) and its number of readers."""

    last: int | None
    found: int


def delivery_rows(
    edition: Edition, readers: QuerySet[Subscription], *, now: datetime
) -> ReaderBatch:
    """Add a row for each of the readers who has none.

    `readers` are ordered and limited to one batch. Each batch needs a transaction of its own.
    """
    if edition.local_time is None:
        batch, params = readers.values_list("pk", flat=True).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(_PLAN.format(batch=batch), [*params, edition.pk, now])
            return _batch(cursor)
    return _add_by_turns(edition, readers, now)


def _add_by_turns(edition: Edition, readers: QuerySet[Subscription], now: datetime) -> ReaderBatch:
    columns = readers.values_list("pk", "subscriber__timezone", "preferred_time")
    batch, params = columns.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_KEEP.format(batch=batch), params)
        cursor.execute(_GROUPS)
        turns = waves.with_send_times(edition, cursor.fetchall(), now=now)
        values: list[Any] = [
            [turn.timezone for turn in turns],
            [turn.preferred_time for turn in turns],
            [turn.sends_at for turn in turns],
        ]
        cursor.execute(_PLAN_WAVES, [*values, edition.pk])
        found = _batch(cursor)
        cursor.execute(_DROP)
    return found


def _batch(cursor: Any) -> ReaderBatch:
    last, found, _added = cursor.fetchone()
    return ReaderBatch(last, found)
