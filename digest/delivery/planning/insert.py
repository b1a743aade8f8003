"""Insert the ledger's rows for one batch of an edition's readers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from digest.editions.decide import extra_cap, waves
from digest.models import Edition
from subscribers.models import Subscription

# If an edition is planned again, readers who confirmed since then are added.
_INSERT = """
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

# Of an extra edition, the batch says who has had enough of them. They get a row too, so that the
# edition's figures have them.
_INSERT_EXTRA = """
WITH batch (id, at_cap) AS MATERIALIZED ({batch}),
added AS (
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, finished_at, lane, reply, relay, revision)
    SELECT %s, batch.id, CASE WHEN at_cap THEN 'skipped' ELSE 'pending' END,
           CASE WHEN at_cap THEN 'extra-cap' ELSE '' END, 0, %s::timestamptz,
           CASE WHEN at_cap THEN %s::timestamptz END, '', '', '', 0
      FROM batch ORDER BY batch.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
 RETURNING 1
)
SELECT (SELECT max(id) FROM batch), (SELECT count(*) FROM batch), (SELECT count(*) FROM added)
"""

# If an edition follows the readers' clocks, the batch is kept in a temporary table while Python
# computes the send times of its zones and hours. Reading the batch twice took half as long again.
_CREATE_BATCH = """
CREATE TEMPORARY TABLE digest_batch ON COMMIT DROP AS
SELECT batch.id, batch.timezone, batch.preferred FROM ({batch}) AS batch (id, timezone, preferred)
"""
_GROUPS = "SELECT timezone, preferred, count(*) FROM digest_batch GROUP BY 1, 2"
_INSERT_WAVES = """
WITH reader_group AS (
    SELECT *
      FROM unnest(%s::text[], %s::time[], %s::timestamptz[]) AS t (timezone, preferred, sends_at)
),
added AS (
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, due_at, lane, reply, relay, revision)
    SELECT %s, batch.id, 'pending', '', 0, g.sends_at, g.sends_at, '', '', '', 0
      FROM digest_batch batch
      JOIN reader_group g ON g.timezone = batch.timezone
       AND COALESCE(g.preferred, '24:00') = COALESCE(batch.preferred, '24:00')
     ORDER BY batch.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
 RETURNING 1
)
SELECT (SELECT max(id) FROM digest_batch), (SELECT count(*) FROM digest_batch),
       (SELECT count(*) FROM added)
"""
_DROP_BATCH = "DROP TABLE digest_batch"


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
    if edition.is_extra:
        return _add_below_cap(edition, readers, now)
    if edition.local_time is None:
        query, params = readers.values_list("pk", flat=True).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(_INSERT.format(batch=query), [*params, edition.pk, now])
            return _read_batch(cursor)
    return _add_by_send_times(edition, readers, now)


def _add_below_cap(edition: Edition, readers: QuerySet[Subscription], now: datetime) -> ReaderBatch:
    extra_cap.lock()
    # Only now, so that the query sees the rows of whoever had the lock before.
    at_cap = extra_cap.is_at_cap(edition, subscriber="subscriber", now=now)
    columns = readers.annotate(at_cap=at_cap).values_list("pk", "at_cap")
    query, params = columns.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_INSERT_EXTRA.format(batch=query), [*params, edition.pk, now, now])
        return _read_batch(cursor)


def _add_by_send_times(
    edition: Edition, readers: QuerySet[Subscription], now: datetime
) -> ReaderBatch:
    columns = readers.values_list("pk", "subscriber__timezone", "preferred_time")
    query, params = columns.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_CREATE_BATCH.format(batch=query), params)
        cursor.execute(_GROUPS)
        groups = waves.with_send_times(edition, cursor.fetchall(), now=now)
        values: list[Any] = [
            [group.timezone for group in groups],
            [group.preferred_time for group in groups],
            [group.sends_at for group in groups],
        ]
        cursor.execute(_INSERT_WAVES, [*values, edition.pk])
        found = _read_batch(cursor)
        cursor.execute(_DROP_BATCH)
    return found


def _read_batch(cursor: Any) -> ReaderBatch:
    last, found, _added = cursor.fetchone()
    return ReaderBatch(last, found)
