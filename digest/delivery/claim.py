"""Take a window of readers, and record in the same statement what became of the last one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from digest.models import Delivery

# At most so many readers are uncertain after a crash.
WINDOW = 20

# Guarded by the lane's name, which recover takes off the rows of a silent lane. Not by the state:
# the planner would then go by the index delivery_on_the_wire, whose dead entries, one for each
# message sent so far, made a claim ten times slower after 12,000 messages.
# An uncertain row is open, to be sent again, until finished_at is set: once, if the operator
# allows it, for a message whose every copy loses its answer must not go out until the deadline.
_RECORD = """
    UPDATE digest_delivery d
       SET status = o.status, reason = o.reason, reply = o.reply,
           attempts = d.attempts + o.attempt,
           next_attempt_at = COALESCE(o.next_attempt_at, d.next_attempt_at),
           uncertain_at = CASE WHEN o.status = 'uncertain'
                               THEN COALESCE(d.uncertain_at, %(now)s) ELSE d.uncertain_at END,
           finished_at = CASE WHEN o.status IN ('sent', 'failed', 'skipped') THEN %(now)s
                              WHEN o.status = 'uncertain'
                                   AND (NOT %(resend)s OR d.uncertain_at IS NOT NULL)
                              THEN %(now)s END
      FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(reasons)s::text[],
                  %(replies)s::text[], %(attempts)s::int[], %(dues)s::timestamptz[])
           AS o(id, status, reason, reply, attempt, next_attempt_at)
     WHERE d.id = o.id AND d.lane = %(lane)s
"""

# Status and suppression are those of this moment, not of the time the audience was planned.
_INELIGIBLE = """
    CASE WHEN s.status <> 'active' THEN 'unsubscribed'
         WHEN EXISTS (SELECT 1 FROM subscribers_suppression x WHERE x.email_key = r.email_key)
         THEN 'suppressed' ELSE '' END
"""

_CLAIM = f"""
WITH recorded AS ({_RECORD}),
due AS (
    SELECT d.id, d.subscription_id
      FROM digest_delivery d
     WHERE d.edition_id = %(edition)s AND d.next_attempt_at <= %(now)s
       AND (d.status = 'pending' OR (d.status = 'uncertain' AND d.finished_at IS NULL))
       AND EXISTS (SELECT 1 FROM digest_edition e
                    WHERE e.id = %(edition)s AND e.status = 'sending'
                      AND e.deadline_at > %(now)s)
     ORDER BY d.id LIMIT %(limit)s
       FOR UPDATE OF d SKIP LOCKED
),
judged AS MATERIALIZED (
    SELECT due.id, s.id AS subscription_id, r.email, r.name, s.muted_sections,
           {_INELIGIBLE} AS reason
      FROM due
      JOIN subscribers_subscription s ON s.id = due.subscription_id
      JOIN subscribers_subscriber r ON r.id = s.subscriber_id
)
UPDATE digest_delivery d
   SET status = CASE WHEN j.reason = '' THEN 'sending' ELSE 'skipped' END,
       reason = j.reason, claimed_at = %(now)s, lane = %(lane)s,
       finished_at = CASE WHEN j.reason = '' THEN NULL ELSE %(now)s::timestamptz END
  FROM judged j
 WHERE d.id = j.id
RETURNING d.id, j.subscription_id, j.email, j.name, j.muted_sections, d.attempts, j.reason
"""  # noqa: S608 (joined from the constants above)

_STILL = f"""
SELECT d.id, {_INELIGIBLE}
  FROM digest_delivery d
  JOIN digest_edition e ON e.id = d.edition_id AND e.status = 'sending'
   AND e.deadline_at > %(now)s
  JOIN subscribers_subscription s ON s.id = d.subscription_id
  JOIN subscribers_subscriber r ON r.id = s.subscriber_id
 WHERE d.id = ANY(%(ids)s::bigint[]) AND d.lane = %(lane)s
"""  # noqa: S608


@dataclass(frozen=True)
class Claimed:
    """One reader's row, marked as being on the wire."""

    delivery_id: int
    subscription_id: int
    email: str
    name: str
    muted_sections: frozenset[int]
    attempts: int


@dataclass(frozen=True)
class Record:
    """What became of a claimed row; `counts` says whether it was an attempt."""

    delivery_id: int
    status: str
    reason: str = ""
    reply: str = ""
    next_attempt_at: datetime | None = None
    counts: bool = True

    @property
    def is_released(self) -> bool:
        """Put back without an attempt, to be claimed again at once."""
        is_pending = self.status == Delivery.Status.PENDING
        return is_pending and not self.counts and self.next_attempt_at is None


@dataclass(frozen=True)
class Window:
    """Who is to be written to now; `looked_at` also counts the readers who were skipped."""

    rows: list[Claimed]
    looked_at: int


def released(delivery_id: int) -> Record:
    """Back into the queue, as if never claimed."""
    return Record(delivery_id, Delivery.Status.PENDING, counts=False)


def claim(
    *,
    edition_id: int,
    lane: str,
    records: Sequence[Record] = (),
    limit: int = WINDOW,
    now: datetime,
) -> Window:
    """Record the last window and claim the next, in id order, in one statement.

    Readers who left or were suppressed become skipped here, with the reason. Rows that another
    lane holds are passed over. Nothing is claimed of an edition that is not sending, or late.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM, {**_recording(lane, records, now), "edition": edition_id, "limit": limit}
        )
        found = sorted(cursor.fetchall())
    rows = [
        Claimed(pk, subscription, email, name, frozenset(muted), attempts)
        for pk, subscription, email, name, muted, attempts, reason in found
        if not reason
    ]
    return Window(rows, looked_at=len(found))


def record(*, lane: str, records: Sequence[Record], now: datetime) -> None:
    """Record a window that no other follows."""
    if records:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, _recording(lane, records, now))


def still_due(*, lane: str, delivery_ids: Sequence[int], now: datetime) -> dict[int, str]:
    """Those of a claimed window that are still the lane's to send, each with "" or why not.

    A row that is missing was taken away, or its edition stopped.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STILL, {"ids": list(delivery_ids), "lane": lane, "now": now})
        return dict(cursor.fetchall())


def _recording(lane: str, records: Sequence[Record], now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "lane": lane,
        "resend": settings.RESEND_UNCERTAIN,
        "ids": [record.delivery_id for record in records],
        "statuses": [str(record.status) for record in records],
        "reasons": [str(record.reason) for record in records],
        "replies": [record.reply for record in records],
        "attempts": [int(record.counts) for record in records],
        "dues": [record.next_attempt_at for record in records],
    }
