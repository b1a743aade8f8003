"""Claim a window of readers, and record the last window's outcomes in the same statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from digest.delivery.lane.prepared import Statement
from digest.delivery.ledger import WINDOW, Claimed
from digest.editions.decide.waves import MIN_ALLOWED_LATENESS
from digest.models import Delivery
from subscribers.models import Subscription

# How a window's outcomes are recorded:
# - The lane's name guards each row. `recover` removes the name from the rows of a dead lane.
# - The number of attempts at the time of the claim guards the rows whose messages were on the wire.
#   If the answer to the statement is lost, the same outcomes can therefore be recorded again.
# - An uncertain row stays open, to be sent again, until finished_at is set. It is sent again once,
#   if the operator allows it (RESEND_UNCERTAIN): a message that loses its answer each time must not
#   be sent over and over until the deadline.
# - A row whose message may have arrived before stays uncertain when it is released.
# - The outcomes are passed as JSON: 3 µs a message. psycopg builds arrays of text in Python, which
#   takes 25 µs.
# - The ids are also passed as an array. PostgreSQL assumes that JSON holds a hundred rows. With a
#   plan from when the table was small it read the whole table to find them, for every window until
#   the next ANALYZE.
_RECORD = """
    UPDATE digest_delivery d
       SET status = CASE WHEN o.status = 'pending' AND d.uncertain_at IS NOT NULL
                         THEN 'uncertain' ELSE o.status END,
           reason = o.reason, reply = o.reply,
           attempts = d.attempts + o.attempt,
           next_attempt_at = COALESCE(o.next_attempt_at, d.next_attempt_at),
           revision = CASE WHEN o.status IN ('pending', 'skipped') AND d.uncertain_at IS NULL
                           THEN 0 ELSE d.revision END,
           uncertain_at = CASE WHEN o.status = 'uncertain'
                               THEN COALESCE(d.uncertain_at, %(now)s) ELSE d.uncertain_at END,
           finished_at = CASE WHEN o.status IN ('sent', 'failed', 'skipped') THEN %(now)s
                              WHEN o.status = 'uncertain'
                                   AND (NOT %(resend)s OR d.uncertain_at IS NOT NULL)
                              THEN %(now)s END
      FROM json_to_recordset(%(outcomes)s::json)
           AS o(id bigint, status text, reason text, reply text, attempt int,
                attempts int, next_attempt_at timestamptz)
     WHERE d.id = ANY(%(ids)s::bigint[])
       AND d.id = o.id AND d.lane = %(lane)s AND d.attempts = COALESCE(o.attempts, d.attempts)
"""

# The reason why a reader gets nothing, or ''. The reader's status and choices are those of this
# moment, not of when the audience was planned.
_SKIP_REASON = """
    CASE WHEN s.status <> 'active' THEN 'unsubscribed'
         WHEN EXISTS (SELECT 1 FROM subscribers_suppression x WHERE x.email_key = r.email_key)
         THEN 'suppressed'
         WHEN s.paused_until > %(now)s THEN 'paused'
         WHEN s.frequency <> ALL(%(frequencies)s::text[]) THEN 'frequency'
         WHEN %(extra)s::boolean AND NOT s.wants_extras THEN 'no-extras' ELSE '' END
"""

# How long after their own hour readers still get an edition that follows the readers' clocks.
_ALLOWED_LATENESS = f"""
    (SELECT GREATEST(e.deadline_at - e.last_wave_at,
                     interval '{MIN_ALLOWED_LATENESS.total_seconds():.0f} seconds')
       FROM digest_edition e WHERE e.id = %(edition)s)
"""  # noqa: S608 (joined from the constant)

# Rows are claimed in order of time, so that a postponed row costs nothing until its time comes (see
# the index delivery_due). The lane continues behind the row that it claimed last. So it does not
# step over the index entries of all rows that were sent before.
_CLAIM = f"""
WITH recorded AS ({_RECORD}),
due AS (
    SELECT d.id, d.subscription_id, d.next_attempt_at, d.reason
      FROM digest_delivery d
     WHERE d.edition_id = %(edition)s AND d.next_attempt_at <= %(now)s
       AND (d.next_attempt_at, d.id) > (%(after_time)s::timestamptz, %(after_id)s)
       AND (d.status = 'pending' OR (d.status = 'uncertain' AND d.finished_at IS NULL))
       AND (d.due_at IS NULL OR d.due_at + {_ALLOWED_LATENESS} > %(now)s)
       AND EXISTS (SELECT 1 FROM digest_edition e
                    WHERE e.id = %(edition)s AND e.status = 'sending'
                      AND e.revision = %(revision)s AND e.deadline_at > %(now)s)
     ORDER BY d.next_attempt_at, d.id LIMIT %(limit)s
       FOR UPDATE OF d SKIP LOCKED
),
checked AS MATERIALIZED (
    SELECT due.id, due.next_attempt_at::text AS due_since, due.reason = 'throttled' AS throttled,
           due.reason = 'refused' AS refused,
           s.id AS subscription_id, r.email, r.name, s.muted_sections, {_SKIP_REASON} AS reason
      FROM due
      JOIN subscribers_subscription s ON s.id = due.subscription_id
      JOIN subscribers_subscriber r ON r.id = s.subscriber_id
)
UPDATE digest_delivery d
   SET status = CASE WHEN c.reason = '' THEN 'sending' ELSE 'skipped' END,
       reason = c.reason, claimed_at = %(now)s, lane = %(lane)s, relay = %(relay)s,
       revision = CASE WHEN c.reason = '' THEN %(revision)s ELSE d.revision END,
       finished_at = CASE WHEN c.reason = '' THEN NULL ELSE %(now)s::timestamptz END
  FROM checked c
 WHERE d.id = c.id
RETURNING c.due_since, d.id, c.subscription_id, c.email, c.name, c.muted_sections,
          d.attempts, c.throttled, c.refused, c.reason
"""  # noqa: S608 (joined from the constants above)

_RECHECK = f"""
SELECT d.id, {_SKIP_REASON}
  FROM digest_delivery d
  JOIN digest_edition e ON e.id = d.edition_id AND e.status = 'sending'
   AND e.deadline_at > %(now)s AND e.revision = d.revision
  JOIN subscribers_subscription s ON s.id = d.subscription_id
  JOIN subscribers_subscriber r ON r.id = s.subscriber_id
 WHERE d.id = ANY(%(ids)s::bigint[]) AND d.lane = %(lane)s
"""  # noqa: S608

# A position in the queue: next_attempt_at as PostgreSQL writes it, and the row's id. Times that are
# written in one time zone sort as text, and parsing each into a datetime would take 3 µs.
Position = tuple[str, int]
FRONT: Position = ("-infinity", 0)
_NOTHING_MUTED: frozenset[int] = frozenset()


class RowOutcome(NamedTuple):
    """What a claimed row becomes; `is_attempt` says whether this was an attempt."""

    delivery_id: int
    status: str
    reason: str = ""
    reply: str = ""
    next_attempt_at: datetime | None = None
    is_attempt: bool = True
    # How many attempts there were before; None if it does not matter.
    attempts: int | None = None

    @property
    def is_released(self) -> bool:
        """Whether the row returns to the queue with no attempt, and can be claimed immediately."""
        is_pending = self.status == Delivery.Status.PENDING
        return is_pending and not self.is_attempt and self.next_attempt_at is None


class Window(NamedTuple):
    """The readers to send to now; `examined` also counts the readers who were skipped."""

    rows: list[Claimed]
    examined: int
    # The position of the last row that was examined.
    position: Position


@dataclass(frozen=True)
class Claimant:
    """The owner of claimed rows: one run of a lane, for one revision, over one relay.

    The edition is for readers who chose one of `frequencies` and, if it `is_extra`, for those who
    want extra editions.
    """

    edition_id: int
    revision: int
    lane: str
    relay: str
    frequencies: tuple[str, ...] = tuple(Subscription.Frequency.values)
    is_extra: bool = False


def released(delivery_id: int) -> RowOutcome:
    """Return the outcome that puts a row back into the queue, as if it was never claimed."""
    return RowOutcome(delivery_id, Delivery.Status.PENDING, is_attempt=False)


class PendingClaim:
    """A claim that was sent to PostgreSQL; `window` waits for its rows.

    One statement records the last window's outcomes and claims the next readers behind `after`. It
    skips readers who left, are suppressed, have paused or want other editions, and stores why.
    It passes over rows that another lane holds. It claims nothing of an edition that is not
    sending, is past its deadline or has a newer revision.
    """

    def __init__(
        self,
        claimant: Claimant,
        *,
        outcomes: Sequence[RowOutcome] = (),
        after: Position = FRONT,
        limit: int = WINDOW,
        now: datetime,
    ) -> None:
        self._after = after
        self._statement = Statement(
            _CLAIM,
            {
                **_record_values(claimant.lane, outcomes, now),
                "edition": claimant.edition_id,
                "revision": claimant.revision,
                "relay": claimant.relay,
                "after_time": after[0],
                "after_id": after[1],
                "limit": limit,
                "frequencies": list(claimant.frequencies),
                "extra": claimant.is_extra,
            },
        )

    def window(self) -> Window:
        """Wait for the claim, and return the window."""
        found = self._statement.rows()
        found.sort()
        rows = [
            Claimed(
                pk, subscription, email, name, frozenset(muted) if muted else _NOTHING_MUTED, *rest
            )
            for _, pk, subscription, email, name, muted, *rest, reason in found
            if not reason
        ]
        return Window(rows, len(found), found[-1][:2] if found else self._after)


def record(*, lane: str, outcomes: Sequence[RowOutcome], now: datetime) -> None:
    """Record the outcomes of a window that no other window follows."""
    if outcomes:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, _record_values(lane, outcomes, now))


def release_unseen(*, lane: str) -> int:
    """Release the rows that the lane claimed by a statement whose answer it never saw.

    Call it only for a lane with nothing on the wire and nothing to record. A lane's name is used
    once, so rows that are still marked as on the wire under this name never were.
    """
    unseen = Delivery.objects.filter(lane=lane, status=Delivery.Status.SENDING)
    return (
        unseen.filter(uncertain_at=None).update(status=Delivery.Status.PENDING, revision=0)
        + unseen.update(status=Delivery.Status.UNCERTAIN)
    )  # fmt: skip


def skip_reasons(
    claimant: Claimant, *, delivery_ids: Sequence[int], now: datetime
) -> dict[int, str]:
    """Return for each row that the lane still holds why it must be skipped; "" if it may be sent.

    If a row is missing, the lane no longer holds it or its edition was stopped.
    """
    values = {
        "ids": _array(delivery_ids),
        "lane": claimant.lane,
        "now": now,
        "frequencies": list(claimant.frequencies),
        "extra": claimant.is_extra,
    }
    return dict(Statement(_RECHECK, values).rows())


def _record_values(lane: str, outcomes: Sequence[RowOutcome], now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "lane": lane,
        "resend": settings.RESEND_UNCERTAIN,
        "ids": _array(outcome.delivery_id for outcome in outcomes),
        "outcomes": json.dumps(
            [
                {
                    "id": outcome.delivery_id,
                    "status": outcome.status,
                    "reason": outcome.reason,
                    "reply": outcome.reply,
                    "attempt": int(outcome.is_attempt),
                    "attempts": outcome.attempts,
                    "next_attempt_at": outcome.next_attempt_at and str(outcome.next_attempt_at),
                }
                for outcome in outcomes
            ]
        ),
    }


def _array(ids: Iterable[int]) -> str:
    """Return the ids as the text of an array.

    psycopg derives a list's type from its numbers, and each type would be prepared again.
    """
    return f"{{{','.join(map(str, ids))}}}"
