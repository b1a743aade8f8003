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
from subscribers.transfer import statements
from subscribers.transfer.checking import Batch, as_csv
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


def begin() -> None:
    """Forget what an earlier trial on this connection has counted."""
    with connection.cursor() as cursor:
        cursor.execute(statements.SEEN_TABLE)


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
        cursor.execute(statements.TAKE_OUT_SUPPRESSED)
        for line, email, kind, reason in cursor.fetchall():
            _suppressed(line, email, kind, reason, outcome)
        if any(row.kind in REASONS for row in batch.rows):
            cursor.execute(statements.TAKE_OUT_CONFIRMED_HERE)
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
    cursor.execute(statements.TABLE)
    with cursor.copy(statements.COPY) as copy:
        copy.write(lines)
    # The columns that statements choose by; all fourteen took as long as the COPY.
    cursor.execute("ANALYZE incoming (kind, email_key, is_confirmed)")


def _count(cursor: Any, values: dict[str, Any], outcome: Outcome) -> None:
    """What `_insert` would do; who is there already is known without trying."""
    cursor.execute(statements.TAKE_OUT_THERE, values)
    for line, email, status in cursor.fetchall():
        if status == Subscription.Status.UNSUBSCRIBED:
            outcome.refused.append(Refusal(line, email, HAS_LEFT))
        else:
            outcome.already_there += 1
    cursor.execute(statements.TAKE_OUT_SEEN)
    outcome.already_there += cursor.rowcount
    cursor.execute(statements.LEFT_OVER)
    outcome.added, outcome.asked, outcome.suppressed = cursor.fetchone()


def _insert(cursor: Any, values: dict[str, Any], outcome: Outcome) -> None:
    cursor.execute(statements.LEFT_OVER)
    readers, _, gone = cursor.fetchone()
    if gone:
        cursor.execute(statements.SUPPRESS, values)
        outcome.suppressed = cursor.rowcount
        outcome.already_there += gone - outcome.suppressed
    if readers:
        for statement, model, columns in (
            (statements.ADD_SUBSCRIBERS, Subscriber, statements.SUBSCRIBER_COLUMNS),
            (statements.ADD_SUBSCRIPTIONS, Subscription, statements.SUBSCRIPTION_COLUMNS),
        ):
            others = _defaults(model, columns)
            names = ", ".join([*columns, *others])
            more = "".join(f", %({name})s" for name in others)
            cursor.execute(statement.format(columns=names, values=more), values | others)
        outcome.added, outcome.asked = cursor.fetchone()
    if outcome.added < readers:
        cursor.execute(statements.WHO_LEFT, values)
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
