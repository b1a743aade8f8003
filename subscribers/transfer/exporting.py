"""Export readers as CSV, in constant memory, in a format that `importing` can read."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, QuerySet, Subquery, Value, When

from subscribers.models import Newsletter, Subscription, Suppression
from subscribers.transfer.rows import FORMULA_PREFIXES

HEADER = (
    "email", "name", "language", "timezone", "newsletter", "status", "frequency", "source",
    "signed_up_at", "confirmed_at", "left_at", "why",
)  # fmt: skip
# Rows of one query. Between two queries nothing is open, however slowly the rows are consumed.
CHUNK_ROWS = 5000

# The status that the export gives a suppressed reader, whatever the subscription's status is.
_SUPPRESSED = {
    Suppression.Reason.BOUNCE: "bounced",
    Suppression.Reason.COMPLAINT: "complained",
    Suppression.Reason.MANUAL: "suppressed",
    Suppression.Reason.IMPORT: "suppressed",
}


def csv_chunks(
    *, newsletter: Newsletter | None = None, statuses: Collection[str] = ()
) -> Iterator[str]:
    """Yield the CSV in chunks: the readers of one newsletter or of all, with these statuses.

    Erased readers are not in it. A suppressed reader's status says that they are suppressed: a
    service that imports the file sends them nothing either.
    """
    yield from csv_lines([HEADER])
    found = _rows(newsletter, statuses)
    last = 0
    while rows := list(found.filter(pk__gt=last)[:CHUNK_ROWS]):
        last = rows[-1][0]
        yield "".join(csv_lines(row[1:] for row in rows))


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield each row as a line of CSV, in which no spreadsheet finds a formula."""
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_text(value) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def encoded(chunks: Iterator[str], *, by_gzip: bool = False) -> Iterator[bytes]:
    """Yield the same text as bytes, compressed if `by_gzip` is set."""
    if not by_gzip:
        yield from (chunk.encode() for chunk in chunks)
        return
    compressor = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for chunk in chunks:
        yield compressor.compress(chunk.encode())
    yield compressor.flush()


def escape_formula(value: str) -> str:
    """Put an apostrophe before a value that a spreadsheet would run; `rows` removes it again."""
    return f"'{value}" if value.startswith(FORMULA_PREFIXES) else value


def _rows(newsletter: Newsletter | None, statuses: Collection[str]) -> QuerySet[Any]:
    suppressed = Suppression.objects.filter(email_key=OuterRef("subscriber__email_key"))
    rows = (
        Subscription.objects.filter(subscriber__erased_at=None)
        .annotate(suppressed=Subquery(suppressed.values("reason")[:1]))
        .annotate(
            shown_status=Case(
                *(
                    When(suppressed=reason, then=Value(status))
                    for reason, status in _SUPPRESSED.items()
                ),
                default=F("status"),
                output_field=CharField(),
            )
        )
    )
    if newsletter:
        rows = rows.filter(newsletter=newsletter)
    if statuses:
        rows = rows.filter(shown_status__in=statuses)
    return rows.order_by("pk").values_list(
        "pk", "subscriber__email", "subscriber__name", "subscriber__language",
        "subscriber__timezone", "newsletter__slug", "shown_status", "frequency", "source",
        "created_at", "confirmed_at", "ended_at", "ended_why",
    )  # fmt: skip


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return escape_formula(" ".join(value) if isinstance(value, list) else str(value))
