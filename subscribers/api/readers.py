"""The readers of a newsletter, for the newsroom's own programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import Enum
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Field, Query, Router, Schema

from subscribers.addresses.address import compare_key
from subscribers.api.auth import Token, require_newsletter
from subscribers.api.fields import SLUG, Frequency, SubscriptionStatus, SuppressionReason
from subscribers.api.newsletters import get_newsletter
from subscribers.api.openapi import problem_responses
from subscribers.api.pagination import AfterId, Page, paginate
from subscribers.api.problems import SERVER_ERROR, ApiProblem
from subscribers.models import Newsletter, Scope, Section, Subscription, Suppression
from subscribers.transfer import exporting
from subscribers.transfer.whole_file import ExportFailed, write_whole
from subscribers.views.download import as_download

router = Router(tags=["Subscribers"], auth=Token(Scope.SUBSCRIBERS_READ))

# Rows of one query; the export's memory does not grow with the list.
CHUNK = 2000
_COLUMNS = (
    "pk", "subscriber__email", "subscriber__name", "status", "suppressed_for", "frequency",
    "muted_sections", "paused_until", "subscriber__language", "subscriber__timezone", "source",
    "created_at", "confirmed_at", "ended_at",
)  # fmt: skip


class SubscriberQuery(AfterId):
    status: SubscriptionStatus | None = Field(None, description="Only these.")
    email: str | None = Field(
        None, max_length=320, pattern=r"^[^\x00]*$", description="Only this address, in any case."
    )


class Format(Enum):
    CSV = "csv"
    NDJSON = "ndjson"


class ExportQuery(Schema):
    status: SubscriptionStatus | None = Field(None, description="Only these.")
    format: Format = Field(Format.CSV, description="CSV, or one JSON object a line.")


class SubscriberOut(Schema):
    id: int
    email: str
    name: str
    status: SubscriptionStatus
    suppressed: SuppressionReason | None = Field(
        description="Why no mail is sent to the address, whatever the status."
    )
    frequency: Frequency
    muted_sections: list[str]
    paused_until: datetime | None
    language: str
    timezone: str
    source: str = Field(description="The page of the sign-up.")
    created_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None


@router.get(
    "/newsletters/{slug:slug}/subscribers", response=Page[SubscriberOut, int],
    operation_id="listSubscribers", summary="List subscribers",
    openapi_extra=problem_responses(404),
)  # fmt: skip
def list_subscribers(
    request: HttpRequest, response: HttpResponse, query: Query[SubscriberQuery], slug: str = SLUG
) -> Page[SubscriberOut, int]:
    """Subscribers are listed in the order of their first sign-up."""
    newsletter = _newsletter(request, slug)
    found = _subscribers(newsletter, query.status)
    if query.email:
        found = found.filter(subscriber__email_key=compare_key(query.email))
    if query.after is not None:
        found = found.filter(pk__gt=query.after)
    rows = list(found[: query.limit + 1])
    rows, after = paginate(request, response, rows=rows, limit=query.limit, key="pk")
    slugs = _section_slugs(newsletter)
    items = [SubscriberOut(**_row(row, slugs)) for row in rows]
    return Page[SubscriberOut, int](items=items, next_after=after)


_EXPORT = {
    "responses": {
        200: {
            "description": "The whole list, with its length. If it fails, none of it is sent.",
            "content": {
                "text/csv": {"schema": {"type": "string"}},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        **problem_responses(404)["responses"],
    }
}


@router.get(
    "/newsletters/{slug:slug}/subscribers/export", operation_id="exportSubscribers",
    summary="Export subscribers", openapi_extra=_EXPORT,
)  # fmt: skip
def export_subscribers(
    request: HttpRequest, query: Query[ExportQuery], slug: str = SLUG
) -> StreamingHttpResponse:
    """All subscribers in one answer, which begins when the whole list has been written.

    A million readers take about half a minute, and no more memory than ten.
    """
    newsletter = _newsletter(request, slug)
    slugs = _section_slugs(newsletter)
    found = _iterate_by_page(_subscribers(newsletter, query.status))
    rows = (_row(subscription, slugs) for subscription in found)
    lines, kind = (
        (_csv(rows), "text/csv; charset=utf-8")
        if query.format is Format.CSV
        else (_ndjson(rows), "application/x-ndjson")
    )
    name = f"{newsletter.slug}-subscribers.{query.format.value}"
    try:
        file = write_whole(line.encode() for line in lines)
    except ExportFailed as error:
        raise ApiProblem(SERVER_ERROR, str(error)) from error
    return as_download(file, name=name, content_type=kind)


def _newsletter(request: HttpRequest, slug: str) -> Newsletter:
    newsletter = get_newsletter(slug)
    require_newsletter(request, newsletter)
    return newsletter


def _subscribers(newsletter: Newsletter, status: Any) -> QuerySet[Any]:
    reason = Suppression.objects.filter(email_key=OuterRef("subscriber__email_key"))
    found = Subscription.objects.filter(newsletter=newsletter, subscriber__erased_at=None)
    only = Q(status=status) if status else Q()
    return (
        found.filter(only)
        .annotate(suppressed_for=Subquery(reason.values("reason")[:1]))
        .order_by("pk")
        # Objects of two models for each row would take half of an export's time.
        .values_list(*_COLUMNS, named=True)
    )


def _iterate_by_page(found: QuerySet[Any]) -> Iterator[Any]:
    """Yield the rows of one page after the other.

    No transaction or cursor stays open while a client reads slowly.
    """
    last = 0
    while page := list(found.filter(pk__gt=last)[:CHUNK]):
        last = page[-1].pk
        yield from page


def _section_slugs(newsletter: Newsletter) -> dict[int, str]:
    return dict(Section.objects.filter(newsletter=newsletter).values_list("pk", "slug"))


def _row(found: Any, slugs: dict[int, str]) -> dict[str, Any]:
    return {
        "id": found.pk,
        "email": found.subscriber__email,
        "name": found.subscriber__name,
        "status": found.status,
        "suppressed": found.suppressed_for,
        "frequency": found.frequency,
        "muted_sections": [slugs[pk] for pk in found.muted_sections if pk in slugs],
        "paused_until": found.paused_until,
        "language": found.subscriber__language,
        "timezone": found.subscriber__timezone,
        "source": found.source,
        "created_at": found.created_at,
        "confirmed_at": found.confirmed_at,
        "ended_at": found.ended_at,
    }


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield from exporting.csv_lines([SubscriberOut.model_fields])
    yield from exporting.csv_lines(map(_cell, row.values()) for row in rows)


def _cell(value: Any) -> Any:
    """Return the value with the whole time, as JSON has it; the admin's export has seconds."""
    return value.isoformat() if isinstance(value, datetime) else value


def _ndjson(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, default=datetime.isoformat) + "\n"
