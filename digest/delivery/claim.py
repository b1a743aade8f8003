"""Take a window of readers, and record in the same statement what became of the last one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from digest.delivery.statement import Statement
from digest.editions.waves import LEAST_LATENESS
from digest.models import Delivery
from subscribers.models import Subscription

# At most so many readers are uncertain after a crash.
WINDOW = 20

# Guarded by the lane's name, which recover takes off the rows of a dead lane; and by the attempts
# of when it was claimed, so that outcomes whose statement lost its answer can be recorded again.
# An uncertain row is open, to be sent again, until finished_at is set: once, if the operator
# allows it, for a message whose every copy loses its answer must not go out until the deadline.
# One that may have arrived before stays uncertain where it is put back.
# JSON, because psycopg builds arrays of text in Python: 25 µs a message, and this 3. The ids once
# more by themselves: PostgreSQL takes JSON for a hundred rows, and with a plan from when the table
# was small it read all of it to find them, for every window until the next ANALYZE.
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
      FROM json_to_recordset(%(records)s::json)
           AS o(id bigint, status text, reason text, reply text, attempt int,
                attempts int, next_attempt_at timestamptz)
     WHERE d.id = ANY(%(ids)s::bigint[])
       AND d.id = o.id AND d.lane = %(lane)s AND d.attempts = COALESCE(o.attempts, d.attempts)
"""

# What readers want is what they want at this moment, not when the audience was planned.
_INELIGIBLE = """
    CASE WHEN s.status <> 'active' THEN 'unsubscribed'
         WHEN EXISTS (SELECT 1 FROM subscribers_suppression x WHERE x.email_key = r.email_key)
         THEN 'suppressed'
         WHEN s.paused_until > %(now)s THEN 'paused'
         WHEN s.frequency <> ALL(%(frequencies)s::text[]) THEN 'frequency' ELSE '' END
"""

# By the readers' clocks each is written to so long after their own hour, and no later.
_USEFUL = f"""
    (SELECT GREATEST(e.deadline_at - e.last_wave_at,
                     interval '{LEAST_LATENESS.total_seconds():.0f} seconds')
       FROM digest_edition e WHERE e.id = %(edition)s)
"""  # noqa: S608 (joined from the constant)

# By time first: what is put off costs nothing until its time comes (see the index delivery_due).
# The lane goes on behind the row it claimed last, so that it need not step over the index entries
# of all that were sent before.
_CLAIM = f"""
WITH recorded AS ({_RECORD}),
due AS (
    SELECT d.id, d.subscription_id, d.next_attempt_at, d.reason
      FROM digest_delivery d
     WHERE d.edition_id = %(edition)s AND d.next_attempt_at <= %(now)s
       AND (d.next_attempt_at, d.id) > (%(after_time)s::timestamptz, %(after_id)s)
       AND (d.status = 'pending' OR (d.status = 'uncertain' AND d.finished_at IS NULL))
       AND (d.due_at IS NULL OR d.due_at + {_USEFUL} > %(now)s)
       AND EXISTS (SELECT 1 FROM digest_edition e
                    WHERE e.id = %(edition)s AND e.status = 'sending'
                      AND e.revision = %(revision)s AND e.deadline_at > %(now)s)
     ORDER BY d.next_attempt_at, d.id LIMIT %(limit)s
       FOR UPDATE OF d SKIP LOCKED
),
judged AS MATERIALIZED (
    SELECT due.id, due.next_attempt_at::text AS place, due.reason = 'throttled' AS throttled,
           due.reason = 'refused' AS refused,
           s.id AS subscription_id, r.email, r.name, s.muted_sections, {_INELIGIBLE} AS reason
      FROM due
      JOIN subscribers_subscription s ON s.id = due.subscription_id
      JOIN subscribers_subscriber r ON r.id = s.subscriber_id
)
UPDATE digest_delivery d
   SET status = CASE WHEN j.reason = '' THEN 'sending' ELSE 'skipped' END,
       reason = j.reason, claimed_at = %(now)s, lane = %(lane)s, relay = %(relay)s,
       revision = CASE WHEN j.reason = '' THEN %(revision)s ELSE d.revision END,
       finished_at = CASE WHEN j.reason = '' THEN NULL ELSE %(now)s::timestamptz END
  FROM judged j
 WHERE d.id = j.id
RETURNING j.place, d.id, j.subscription_id, j.email, j.name, j.muted_sections,
          d.attempts, j.throttled, j.refused, j.reason
"""  # noqa: S608 (joined from the constants above)

_STILL = f"""
SELECT d.id, {_INELIGIBLE}
  FROM digest_delivery d
  JOIN digest_edition e ON e.id = d.edition_id AND e.status = 'sending'
   AND e.deadline_at > %(now)s AND e.revision = d.revision
  JOIN subscribers_subscription s ON s.id = d.subscription_id
  JOIN subscribers_subscriber r ON r.id = s.subscriber_id
 WHERE d.id = ANY(%(ids)s::bigint[]) AND d.lane = %(lane)s
"""  # noqa: S608

# A place in the order of the queue: next_attempt_at, as PostgreSQL writes it, and id. Written in
# one time zone such times sort as text, and making a datetime of each takes 3 µs.
Place = tuple[str, int]
FRONT: Place = ("-infinity", 0)
_NOBODY: frozenset[int] = frozenset()


class Claimed(NamedTuple):
    """One reader's row, marked as being on the wire."""

    delivery_id: int
    subscription_id: int
    email: str
    name: str
    muted_sections: frozenset[int]
    attempts: int
    # It was put off before because of its domain's rate.
    throttled: bool = False
    # It held the edition before, and an editor let the edition go on.
    refused: bool = False


class Record(NamedTuple):
    """What became of a claimed row; `counts` says whether it was an attempt."""

    delivery_id: int
    status: str
    reason: str = ""
    reply: str = ""
    next_attempt_at: datetime | None = None
    counts: bool = True
    # How many there were before; None where it does not matter.
    attempts: int | None = None

    @property
    def is_released(self) -> bool:
        """Put back without an attempt, to be claimed again at once."""
        is_pending = self.status == Delivery.Status.PENDING
        return is_pending and not self.counts and self.next_attempt_at is None


class Window(NamedTuple):
    """Who is to be written to now; `looked_at` also counts the readers who were skipped."""

    rows: list[Claimed]
    looked_at: int
    # Behind the last of them.
    place: Place


@dataclass(frozen=True)
class Claimant:
    """On whose behalf rows are claimed: a run of a lane, for a revision, over a relay.

    `frequencies` are the readers' choices that the edition is for.
    """

    edition_id: int
    revision: int
    lane: str
    relay: str
    frequencies: tuple[str, ...] = tuple(Subscription.Frequency.values)


def released(delivery_id: int) -> Record:
    """Back into the queue, as if never claimed."""
    return Record(delivery_id, Delivery.Status.PENDING, counts=False)


class Claiming:
    """A claim that was sent: the last window's outcomes, and the next readers behind `after`.

    One statement does both. Readers who left or were suppressed become skipped by it, with the
    reason. Rows that another lane holds are passed over. Nothing is claimed of an edition that is
    not sending, is late, or has a newer revision.
    """

    def __init__(
        self,
        claimant: Claimant,
        *,
        records: Sequence[Record] = (),
        after: Place = FRONT,
        limit: int = WINDOW,
        now: datetime,
    ) -> None:
        self._after = after
        self._statement = Statement(
            _CLAIM,
            {
                **_recording(claimant.lane, records, now),
                "edition": claimant.edition_id,
                "revision": claimant.revision,
                "relay": claimant.relay,
                "after_time": after[0],
                "after_id": after[1],
                "limit": limit,
                "frequencies": list(claimant.frequencies),
            },
        )

    def window(self) -> Window:
        """Wait for what it claimed."""
        found = self._statement.rows()
        found.sort()
        rows = [
            Claimed(pk, subscription, email, name, frozenset(muted) if muted else _NOBODY, *rest)
            for _, pk, subscription, email, name, muted, *rest, reason in found
            if not reason
        ]
        return Window(rows, len(found), found[-1][:2] if found else self._after)


def claim(
    claimant: Claimant,
    *,
    records: Sequence[Record] = (),
    after: Place = FRONT,
    limit: int = WINDOW,
    now: datetime,
) -> Window:
    """Send a claim and wait for it."""
    return Claiming(claimant, records=records, after=after, limit=limit, now=now).window()


def record(*, lane: str, records: Sequence[Record], now: datetime) -> None:
    """Record a window that no other follows."""
    if records:
        with connection.cursor() as cursor:
            cursor.execute(_RECORD, _recording(lane, records, now))


def give_back_unseen(*, lane: str) -> int:
    """Put back what the lane claimed by a statement whose answer it never saw.

    Only for a lane with nothing on the wire and nothing to record: its name is used once, so
    whatever is marked as on the wire under it was not.
    """
    unseen = Delivery.objects.filter(lane=lane, status=Delivery.Status.SENDING)
    return (
        unseen.filter(uncertain_at=None).update(status=Delivery.Status.PENDING, revision=0)
        + unseen.update(status=Delivery.Status.UNCERTAIN)
    )  # fmt: skip


def still_due(claimant: Claimant, *, delivery_ids: Sequence[int], now: datetime) -> dict[int, str]:
    """Those of a claimed window that are still the lane's to send, each with "" or why not.

    A row that is missing was taken away, or its edition stopped.
    """
    values = {
        "ids": _array(delivery_ids),
        "lane": claimant.lane,
        "now": now,
        "frequencies": list(claimant.frequencies),
    }
    return dict(Statement(_STILL, values).rows())


def _recording(lane: str, records: Sequence[Record], now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "lane": lane,
        "resend": settings.RESEND_UNCERTAIN,
        "ids": _array(entry.delivery_id for entry in records),
        "records": json.dumps(
            [
                {
                    "id": entry.delivery_id,
                    "status": entry.status,
                    "reason": entry.reason,
                    "reply": entry.reply,
                    "attempt": int(entry.counts),
                    "attempts": entry.attempts,
                    "next_attempt_at": entry.next_attempt_at and str(entry.next_attempt_at),
                }
                for entry in records
            ]
        ),
    }


def _array(ids: Iterable[int]) -> str:
    """As text: a list's type would follow from its numbers, and each type be prepared anew."""
    return f"{{{','.join(map(str, ids))}}}"
