"""Store a batch of a list in a few statements, however many rows it has.

1. COPY puts the rows into a temporary table.
2. Rows that cannot go in are removed from that table, each with a reason.
3. INSERT … SELECT turns the rest into readers, subscriptions, consent records and suppressions.

A dry run counts in step 3 and inserts nothing. Rows are inserted in the order of the address: two
imports that run at the same time then wait for each other and cannot deadlock.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.models import NOT_PROVIDED

from subscribers.consent import suppression
from subscribers.consent.record import Origin, build_consent
from subscribers.models import Consent, Newsletter, Subscriber, Subscription, Suppression
from subscribers.signed_links import CONFIRM_WITHIN
from subscribers.transfer import statements
from subscribers.transfer.checking import Batch, as_csv
from subscribers.transfer.presets import RowKind
from subscribers.transfer.refusals import without_erased
from subscribers.transfer.spreadsheet import Refusal

# The time between two confirmation mails of an import. The tick sends somewhat faster than that
# (confirmation_mail.MAILS_PER_TASK every 30 s), so that imported readers never delay one who has
# signed up.
CONFIRMATION_EVERY = timedelta(seconds=0.2)

HAS_UNSUBSCRIBED = "has unsubscribed; only the reader can subscribe again"
LEFT_ELSEWHERE = "another row of the list says that they left"
SAME_MAILBOX = (
    "another address of the same mailbox is asked to confirm; if this is somebody else, import it "
    "again in three days"
)
CONFIRMED_SINCE = "has confirmed here since; if they left again, unsubscribe them"

SUPPRESSION_REASONS = {
    RowKind.UNSUBSCRIBED: Suppression.Reason.IMPORT,
    RowKind.BLOCKED: Suppression.Reason.MANUAL,
    RowKind.CLEANED: Suppression.Reason.BOUNCE,
    RowKind.COMPLAINED: Suppression.Reason.COMPLAINT,
}
_KIND_LABELS = {
    RowKind.UNSUBSCRIBED: "unsubscribed",
    RowKind.BLOCKED: "blocked",
    RowKind.CLEANED: "cleaned",
    RowKind.COMPLAINED: "complained",
}


@dataclass(frozen=True)
class ImportTarget:
    """Where the readers of a list go, and with what evidence.

    `details` is the evidence that each reader's consent record gets: the statement, who made it,
    the service, the file. With `dry_run`, nothing is stored.
    """

    newsletter: Newsletter
    origin: Origin
    now: datetime
    details: Mapping[str, Any] = field(default_factory=dict)
    dry_run: bool = False


@dataclass
class ImportResult:
    """What became of some rows. `asked` are those of the `added` who have to confirm by mail.

    `unread` are the rows that were not refused although a date in them cannot be read.
    """

    rows: int = 0
    added: int = 0
    asked: int = 0
    suppressed: int = 0
    already_there: int = 0
    refused: list[Refusal] = field(default_factory=list)
    unread: list[Refusal] = field(default_factory=list)


def reset_seen() -> None:
    """Delete what an earlier dry run on this connection has counted."""
    with connection.cursor() as cursor:
        cursor.execute(statements.CREATE_SEEN)


def store_batch(target: ImportTarget, batch: Batch, *, asked_before: int) -> ImportResult:
    """Store the rows, within the caller's transaction, and return what became of each.

    - Confirmed readers become active, with a consent record of kind import. No
      `subscription_confirmed` is sent for them.
    - The other readers are asked to confirm, one after the other. `asked_before` is how many
      readers of this import wait in front of them.
    - Of the addresses of one mailbox that have to confirm, one is asked and the others are refused.
    - A reader who is there already stays as they are. A reader who left stays away.
    - If the list says that somebody left, bounced, complained or was blocked, their address goes
      on the suppression list.
    """
    result = ImportResult(rows=batch.rows_read, already_there=batch.duplicates)
    values = _values(target, asked=asked_before)
    # A dry run stores its refusals, too.
    suppression.block_erasures()
    result.refused += without_erased(batch.refused)
    with connection.cursor() as cursor:
        _copy_in(cursor, _without_erased(batch, result))
        cursor.execute(statements.REMOVE_SUPPRESSED)
        for line, email, kind, reason in cursor.fetchall():
            _refuse_suppressed(line, email, kind, reason, result)
        if any(row.kind in SUPPRESSION_REASONS for row in batch.rows):
            cursor.execute(statements.REMOVE_CONFIRMED_SINCE)
            result.refused += _refusals(cursor.fetchall(), CONFIRMED_SINCE)
            cursor.execute(statements.REMOVE_LEFT_ELSEWHERE)
            result.refused += _refusals(cursor.fetchall(), LEFT_ELSEWHERE)
        asks = any(
            row.kind not in SUPPRESSION_REASONS and not row.is_confirmed for row in batch.rows
        )
        if target.dry_run:
            _count_dry_run(cursor, values, result, asks=asks)
        else:
            if asks:
                _ask_each_mailbox_once(cursor, values, result)
            _insert(cursor, values, result)
    result.refused.sort()
    refused = {refusal.line for refusal in result.refused}
    result.unread = [one for one in batch.unread if one.line not in refused]
    return result


def _without_erased(batch: Batch, result: ImportResult) -> str:
    """Return the rows as CSV, and refuse those of erased readers.

    Of an erased address only a keyed hash is stored, which SQL cannot compute.
    """
    erased = suppression.erased_among([row.email_key for row in batch.rows])
    if not erased:
        return batch.as_csv()
    for row in batch.rows:
        if row.email_key in erased:
            # The refusal is stored, so it must not hold an address of which only a hash is kept.
            _refuse_suppressed(row.line, "", row.kind, erased[row.email_key], result)
    return as_csv([row for row in batch.rows if row.email_key not in erased])


def _refuse_suppressed(line: int, email: str, kind: str, reason: str, result: ImportResult) -> None:
    if kind in SUPPRESSION_REASONS:
        result.already_there += 1  # the address is suppressed already
    else:
        label = Suppression.Reason(reason).label
        result.refused.append(Refusal(line, email, f"the address is suppressed: {label}"))


def _refusals(rows: list[tuple[int, str]], reason: str) -> list[Refusal]:
    return [Refusal(line, email, reason) for line, email in rows]


def _copy_in(cursor: Any, lines: str) -> None:
    cursor.execute(statements.CREATE_INCOMING)
    with cursor.copy(statements.COPY) as copy:
        copy.write(lines)
    # Only the columns that statements filter by: ANALYZE of all took as long as the COPY.
    cursor.execute("ANALYZE incoming (kind, email_key, mailbox, is_confirmed)")


def _ask_each_mailbox_once(
    cursor: Any, values: dict[str, Any], result: ImportResult, *, tried: str = ""
) -> None:
    cursor.execute(statements.REMOVE_SAME_MAILBOX.format(tried=tried), values)
    result.refused += _refusals(cursor.fetchall(), SAME_MAILBOX)


def _count_dry_run(
    cursor: Any, values: dict[str, Any], result: ImportResult, *, asks: bool
) -> None:
    """Count what `_insert` would do; a query finds the subscriptions that exist already."""
    cursor.execute(statements.REMOVE_EXISTING, values)
    for line, email, status in cursor.fetchall():
        if status == Subscription.Status.UNSUBSCRIBED:
            result.refused.append(Refusal(line, email, HAS_UNSUBSCRIBED))
        else:
            result.already_there += 1
    cursor.execute(statements.REMOVE_SEEN)
    result.already_there += cursor.rowcount
    if asks:
        _ask_each_mailbox_once(cursor, values, result, tried=statements.UNION_TRIED)
        cursor.execute(statements.NOTE_TRIED)
    cursor.execute(statements.COUNT_REMAINING)
    result.added, result.asked, result.suppressed = cursor.fetchone()


def _insert(cursor: Any, values: dict[str, Any], result: ImportResult) -> None:
    cursor.execute(statements.COUNT_REMAINING)
    readers, _, to_suppress = cursor.fetchone()
    if to_suppress:
        cursor.execute(statements.SUPPRESS, values)
        result.suppressed = cursor.rowcount
        result.already_there += to_suppress - result.suppressed
    if readers:
        for statement, model, columns in (
            (statements.ADD_SUBSCRIBERS, Subscriber, statements.SUBSCRIBER_COLUMNS),
            (statements.ADD_SUBSCRIPTIONS, Subscription, statements.SUBSCRIPTION_COLUMNS),
        ):
            defaults = _defaults(model, columns)
            names = ", ".join([*columns, *defaults])
            extra_values = "".join(f", %({name})s" for name in defaults)
            cursor.execute(statement.format(columns=names, values=extra_values), values | defaults)
        result.added, result.asked = cursor.fetchone()
    if result.added < readers:
        cursor.execute(statements.SELECT_UNSUBSCRIBED, values)
        unsubscribed = _refusals(cursor.fetchall(), HAS_UNSUBSCRIBED)
        result.refused += unsubscribed
        result.already_there += readers - result.added - len(unsubscribed)


def _defaults(model: type[models.Model], given: tuple[str, ...]) -> dict[str, Any]:
    """Return the defaults of the model's other columns that Django sets, and not the database."""
    return {
        str(one.column): one.get_db_prep_save(one.get_default(), connection)
        for one in model._meta.concrete_fields
        if one.column not in given
        and not (one.primary_key or one.null or one.db_default is not NOT_PROVIDED)
    }


def _values(target: ImportTarget, *, asked: int) -> dict[str, Any]:
    record = build_consent(
        subscription_id=0,
        newsletter=target.newsletter,
        kind=Consent.Kind.IMPORT,
        origin=target.origin,
        now=target.now,
    )
    service = target.details.get("service")
    return {
        "newsletter": target.newsletter.pk,
        "now": target.now,
        "every": CONFIRMATION_EVERY,
        "asked": asked,
        "asked_since": target.now - CONFIRM_WITHIN,
        "source": Subscription.FROM_LIST,
        "wording": record.wording,
        "version": record.wording_version,
        "page": record.page,
        "details": json.dumps(dict(target.details)),
        "reasons": json.dumps(SUPPRESSION_REASONS),
        "labels": json.dumps(_KIND_LABELS),
        "at": f" at {service}" if service else "",
    }
