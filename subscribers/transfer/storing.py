"""Store a batch of a list in a few statements, however many rows it has.

The rows go into a temporary table by COPY; what cannot go in is taken out of it again, each with
its reason, and what is left becomes readers, subscriptions, consent and suppressions by
INSERT … SELECT. A trial does the same up to the inserting. Rows are stored in the order of the
address, so that two imports at once wait for each other, not for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.models import NOT_PROVIDED

from subscribers import consent, suppression
from subscribers.models import Consent, Newsletter, Subscriber, Subscription, Suppression
from subscribers.transfer.checking import Batch, Checked, as_csv
from subscribers.transfer.presets import Kind
from subscribers.transfer.spreadsheet import Refusal

# Imported readers are asked to confirm at this pace, a little slower than the tick can follow
# (confirmation.AT_MOST every 30 s), so that they never stand before a reader who is waiting.
CONFIRMATION_EVERY = timedelta(seconds=0.2)
# Where growth is counted by page, an import is none.
SOURCE = "import"

HAS_LEFT = "has unsubscribed; only the reader can come back"
HAS_CONFIRMED = "has confirmed here since; if they left again, unsubscribe them"

REASONS = {
    Kind.LEFT: Suppression.Reason.IMPORT,
    Kind.BLOCKED: Suppression.Reason.MANUAL,
    Kind.CLEANED: Suppression.Reason.BOUNCE,
    Kind.COMPLAINED: Suppression.Reason.COMPLAINT,
}
_DETAILS = {
    Kind.LEFT: "unsubscribed",
    Kind.BLOCKED: "blocked",
    Kind.CLEANED: "cleaned",
    Kind.COMPLAINED: "complained",
}


@dataclass(frozen=True)
class Import:
    """What is imported where, on whose word.

    `details` is the evidence that each reader's consent record gets: the statement, who made it,
    the service, the file. A `trial` stores nothing.
    """

    newsletter: Newsletter
    origin: consent.Origin
    now: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    trial: bool = False


@dataclass
class Outcome:
    """What became of some rows. Of the `added`, `asked` get a mail to confirm first."""

    rows: int = 0
    added: int = 0
    asked: int = 0
    suppressed: int = 0
    already_there: int = 0
    refused: list[Refusal] = field(default_factory=list)


_TABLE = """
    CREATE TEMP TABLE IF NOT EXISTS incoming (
        line bigint, kind text, email text, email_key text COLLATE "C", email_as_typed text,
        name text, timezone text, language text, is_confirmed boolean, confirmed_at timestamptz,
        ip_address inet, left_at timestamptz, details jsonb, why text
    );
    TRUNCATE incoming
"""
# An empty value is an empty string, and None only in these.
_NULLABLE = {"confirmed_at", "ip_address", "left_at"}
_COPY = (
    f"COPY incoming ({', '.join(Checked._fields)}) FROM STDIN (FORMAT csv, "
    f"FORCE_NOT_NULL ({', '.join(set(Checked._fields) - _NULLABLE)}))"
)

_SUPPRESSED = """
    DELETE FROM incoming i USING subscribers_suppression s WHERE s.email_key = i.email_key
    RETURNING i.line, i.email, i.kind, s.reason
"""
# Leaving another list does not end what a reader confirmed here, of their own will, since then.
_CONFIRMED_HERE = """
    DELETE FROM incoming i USING subscribers_subscriber s, subscribers_subscription p
    WHERE i.kind NOT IN ('reader', 'unconfirmed') AND s.email_key = i.email_key
      AND p.subscriber_id = s.id AND p.status = 'active'
      AND EXISTS (
        SELECT FROM subscribers_consent c
        WHERE c.subscription_id = p.id AND c.kind = 'confirmation'
          AND (i.left_at IS NULL OR c.created_at > i.left_at)
      )
    RETURNING i.line, i.email
"""
_THERE = """
    DELETE FROM incoming i USING subscribers_subscriber s, subscribers_subscription p
    WHERE i.kind IN ('reader', 'unconfirmed') AND s.email_key = i.email_key
      AND p.subscriber_id = s.id AND p.newsletter_id = %(newsletter)s
    RETURNING i.line, i.email, p.status
"""
_LEFT = """
    SELECT i.line, i.email FROM incoming i
    JOIN subscribers_subscriber s USING (email_key)
    JOIN subscribers_subscription p ON p.subscriber_id = s.id
    WHERE i.kind IN ('reader', 'unconfirmed')
      AND p.newsletter_id = %(newsletter)s AND p.status = 'unsubscribed'
"""
_SUPPRESS = """
    INSERT INTO subscribers_suppression (email_key, reason, detail, created_at)
    SELECT DISTINCT ON (email_key)
        email_key, %(reasons)s::jsonb ->> kind,
        left(concat_ws(
            ', ', (%(words)s::jsonb ->> kind) || %(at)s, to_char(left_at, 'YYYY-MM-DD'),
            nullif(why, '')
        ), 300),
        %(now)s
    FROM incoming WHERE kind NOT IN ('reader', 'unconfirmed') ORDER BY email_key
    ON CONFLICT (email_key) DO NOTHING
"""
_SUBSCRIBER = (
    "email", "email_key", "email_as_typed", "name", "timezone", "language", "created_at",
)  # fmt: skip
_SUBSCRIBERS = """
    INSERT INTO subscribers_subscriber ({columns})
    SELECT email, email_key, email_as_typed, name, timezone, language, %(now)s{values}
    FROM incoming WHERE kind IN ('reader', 'unconfirmed') ORDER BY email_key
    ON CONFLICT (email_key) DO NOTHING
"""
_SUBSCRIPTION = (
    "subscriber_id", "newsletter_id", "status", "created_at", "confirmed_at", "mail_due_at",
    "source",
)  # fmt: skip
_SUBSCRIPTIONS = """
    WITH mine AS MATERIALIZED (
        SELECT i.*, s.id AS subscriber_id
        FROM incoming i JOIN subscribers_subscriber s USING (email_key)
        WHERE i.kind IN ('reader', 'unconfirmed')
    ), added AS (
        INSERT INTO subscribers_subscription ({columns})
        SELECT i.subscriber_id, %(newsletter)s,
            CASE WHEN i.is_confirmed THEN 'active' ELSE 'pending' END, %(now)s,
            CASE WHEN i.is_confirmed THEN coalesce(i.confirmed_at, %(now)s) END,
            CASE WHEN NOT i.is_confirmed THEN %(now)s + %(every)s * (%(asked)s - 1
                + row_number() OVER (PARTITION BY i.is_confirmed ORDER BY i.line)) END,
            %(source)s{values}
        FROM mine i
        ORDER BY i.email_key
        ON CONFLICT (subscriber_id, newsletter_id) DO NOTHING
        RETURNING id, subscriber_id, status
    ), told AS (
        INSERT INTO subscribers_consent
            (subscription_id, kind, wording, wording_version, page, language, ip_address,
             user_agent, details, created_at)
        SELECT a.id, 'import', %(wording)s, %(version)s, %(page)s, i.language, i.ip_address,
            '', %(details)s::jsonb || i.details, %(now)s
        FROM added a JOIN mine i USING (subscriber_id)
        WHERE a.status = 'active'
    )
    SELECT count(*), count(*) FILTER (WHERE status = 'pending') FROM added
"""
_LEFT_OVER = """
    SELECT count(*) FILTER (WHERE kind IN ('reader', 'unconfirmed')),
        count(*) FILTER (WHERE kind IN ('reader', 'unconfirmed') AND NOT is_confirmed),
        count(*) FILTER (WHERE kind NOT IN ('reader', 'unconfirmed'))
    FROM incoming
"""
# What a trial has counted, since it stores nothing that the next batch would run into.
_SEEN_TABLE = """
    CREATE TEMP TABLE IF NOT EXISTS seen (who bigint PRIMARY KEY);
    TRUNCATE seen
"""
_SEEN = """
    WITH counted AS (
        INSERT INTO seen
        SELECT hashtextextended(email_key, (kind IN ('reader', 'unconfirmed'))::int) FROM incoming
        ON CONFLICT DO NOTHING RETURNING who
    )
    DELETE FROM incoming WHERE hashtextextended(
        email_key, (kind IN ('reader', 'unconfirmed'))::int
    ) NOT IN (SELECT who FROM counted)
"""


def begin() -> None:
    """Forget what an earlier trial on this connection has counted."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN_TABLE)


def store(task: Import, batch: Batch, *, asked: int) -> Outcome:
    """Store the rows, within the caller's transaction, and say what became of each.

    Confirmed readers become active with a consent record of kind import; no
    `subscription_confirmed` is sent for them. Others are asked to confirm, one after the other:
    `asked` is how many of this import are waiting in front of them. Who is there already stays as
    they are, whoever left stays away, and of whom a list says that they left, the address goes on
    the suppression list.
    """
    outcome = Outcome(rows=batch.read, already_there=batch.again, refused=list(batch.refused))
    values = _values(task, asked=asked)
    if not task.trial:
        suppression.keep_erasures_waiting()
    with connection.cursor() as cursor:
        _take_in(cursor, _without_erased(batch, outcome))
        cursor.execute(_SUPPRESSED)
        for line, email, kind, reason in cursor.fetchall():
            _suppressed(line, email, kind, reason, outcome)
        if any(row.kind in REASONS for row in batch.rows):
            cursor.execute(_CONFIRMED_HERE)
            outcome.refused += _all_refused(cursor.fetchall(), HAS_CONFIRMED)
        if task.trial:
            _count(cursor, values, outcome)
        else:
            _insert(cursor, values, outcome)
    outcome.refused.sort()
    return outcome


def _without_erased(batch: Batch, outcome: Outcome) -> str:
    """The rows, as CSV. Of an erased address only a hash is stored, which SQL does not know."""
    erased = suppression.erased_among([row.email_key for row in batch.rows])
    if not erased:
        return batch.as_csv()
    for row in batch.rows:
        if row.email_key in erased:
            # Without the address: what is kept of it is a hash, and a report of refusals stays.
            _suppressed(row.line, "", row.kind, erased[row.email_key], outcome)
    return as_csv([row for row in batch.rows if row.email_key not in erased])


def _suppressed(line: int, email: str, kind: str, reason: str, outcome: Outcome) -> None:
    if kind in REASONS:
        outcome.already_there += 1  # on the list, where this one belongs
    else:
        label = Suppression.Reason(reason).label
        outcome.refused.append(Refusal(line, email, f"the address is suppressed: {label}"))


def _all_refused(rows: list[tuple[int, str]], reason: str) -> list[Refusal]:
    return [Refusal(line, email, reason) for line, email in rows]


def _take_in(cursor: Any, lines: str) -> None:
    cursor.execute(_TABLE)
    with cursor.copy(_COPY) as copy:
        copy.write(lines)
    # The columns that statements choose by; all fourteen took as long as the COPY.
    cursor.execute("ANALYZE incoming (kind, email_key, is_confirmed)")


def _count(cursor: Any, values: dict[str, Any], outcome: Outcome) -> None:
    """What `_insert` would do; who is there already is known without trying."""
    cursor.execute(_THERE, values)
    for line, email, status in cursor.fetchall():
        if status == Subscription.Status.UNSUBSCRIBED:
            outcome.refused.append(Refusal(line, email, HAS_LEFT))
        else:
            outcome.already_there += 1
    cursor.execute(_SEEN)
    outcome.already_there += cursor.rowcount
    cursor.execute(_LEFT_OVER)
    outcome.added, outcome.asked, outcome.suppressed = cursor.fetchone()


def _insert(cursor: Any, values: dict[str, Any], outcome: Outcome) -> None:
    cursor.execute(_LEFT_OVER)
    readers, _, gone = cursor.fetchone()
    if gone:
        cursor.execute(_SUPPRESS, values)
        outcome.suppressed = cursor.rowcount
        outcome.already_there += gone - outcome.suppressed
    if readers:
        for statement, model, columns in (
            (_SUBSCRIBERS, Subscriber, _SUBSCRIBER),
            (_SUBSCRIPTIONS, Subscription, _SUBSCRIPTION),
        ):
            others = _defaults(model, columns)
            names = ", ".join([*columns, *others])
            more = "".join(f", %({name})s" for name in others)
            cursor.execute(statement.format(columns=names, values=more), values | others)
        outcome.added, outcome.asked = cursor.fetchone()
    if outcome.added < readers:
        cursor.execute(_LEFT, values)
        left = _all_refused(cursor.fetchall(), HAS_LEFT)
        outcome.refused += left
        outcome.already_there += readers - outcome.added - len(left)


def _defaults(model: type[models.Model], given: tuple[str, ...]) -> dict[str, Any]:
    """What the model's other columns begin with, where Django says it and not the database."""
    return {
        str(one.column): one.get_db_prep_save(one.get_default(), connection)
        for one in model._meta.concrete_fields
        if one.column not in given
        and not (one.primary_key or one.null or one.db_default is not NOT_PROVIDED)
    }


def _values(task: Import, *, asked: int) -> dict[str, Any]:
    record = consent.draft(
        subscription_id=0,
        newsletter=task.newsletter,
        kind=Consent.Kind.IMPORT,
        origin=task.origin,
        now=task.now,
    )
    service = task.details.get("service")
    return {
        "newsletter": task.newsletter.pk,
        "now": task.now,
        "every": CONFIRMATION_EVERY,
        "asked": asked,
        "source": SOURCE,
        "wording": record.wording,
        "version": record.wording_version,
        "page": record.page,
        "details": json.dumps(dict(task.details)),
        "reasons": json.dumps(REASONS),
        "words": json.dumps(_DETAILS),
        "at": f" at {service}" if service else "",
    }
