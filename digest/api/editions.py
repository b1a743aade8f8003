"""Let anybody read the editions that were sent."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from digest.models import Edition, EditionItem, Frozen
from subscribers.api.auth import anonymous
from subscribers.api.fields import SLUG
from subscribers.api.newsletters import get_newsletter
from subscribers.api.openapi import problem_responses
from subscribers.api.pagination import AfterUuid, Page, allow_caching, paginate

router = Router(tags=["Editions"], auth=anonymous)


class EditionOut(Schema):
    id: UUID
    newsletter: str = Field(description="Its slug.")
    date: dt.date
    subject: str
    preheader: str
    url: str = Field(description="Its page on the web.")
    sent_at: dt.datetime = Field(description="When it began to go out.")
    corrects: UUID | None = Field(description="The edition that this one corrects.")


class PublishedStoryOut(Schema):
    headline: str
    summary: str
    url: str
    section: str | None = Field(description="Its slug.")
    source_name: str
    author: str
    image_url: str
    image_alt: str


class EditionWithStories(EditionOut):
    note: str
    stories: list[PublishedStoryOut]


@router.get(
    "/newsletters/{slug:slug}/editions", response=Page[EditionOut, UUID],
    operation_id="listEditions", summary="List a newsletter's editions",
    openapi_extra=problem_responses(404),
)  # fmt: skip
def list_editions(
    request: HttpRequest, response: HttpResponse, paging: Query[AfterUuid], slug: str = SLUG
) -> Page[EditionOut, UUID]:
    """The editions that were sent, the newest first."""
    found = _published().filter(newsletter=get_newsletter(slug))
    if paging.after:
        last = found.filter(public_id=paging.after).first()
        if last is None:
            raise Http404
        older = Q(sending_at=last.sending_at, pk__lt=last.pk)
        found = found.filter(Q(sending_at__lt=last.sending_at) | older)
    rows = list(found.order_by("-sending_at", "-pk")[: paging.limit + 1])
    allow_caching(response)
    rows, after = paginate(request, response, rows=rows, limit=paging.limit, key="public_id")
    items = [EditionOut(**_edition_fields(edition)) for edition in rows]
    return Page[EditionOut, UUID](items=items, next_after=after)


@router.get(
    "/editions/{uuid:edition_id}", response=EditionWithStories, operation_id="readEdition",
    summary="Read an edition", openapi_extra=problem_responses(404),
)  # fmt: skip
def read_edition(request: HttpRequest, edition_id: UUID) -> EditionWithStories:
    """An edition that was sent, with its stories in order."""
    edition = _published().filter(public_id=edition_id).first()
    if edition is None:
        raise Http404
    items = edition.items.select_related("story", "section")
    return EditionWithStories(
        **_edition_fields(edition),
        note=edition.note,
        stories=[_story_out(item) for item in items],
    )


def _published() -> QuerySet[Edition]:
    """Return the editions that say what readers have.

    One that was stopped may be under revision. If it ended so, it says what nobody approved.
    """
    as_approved = Frozen.objects.filter(
        edition=OuterRef("pk"), content_hash=OuterRef("approved_hash")
    )
    return Edition.objects.select_related("newsletter", "corrects").filter(
        Exists(as_approved),
        status__in=[Edition.Status.SENDING, Edition.Status.SENT],
        sending_at__isnull=False,
    )


def _edition_fields(edition: Edition) -> dict[str, Any]:
    return {
        "id": edition.public_id,
        "newsletter": edition.newsletter.slug,
        "date": edition.slot_date,
        "subject": edition.subject,
        "preheader": edition.preheader,
        "url": f"{settings.SITE_URL}{edition.get_absolute_url()}",
        "sent_at": edition.sending_at,
        "corrects": edition.corrects.public_id if edition.corrects else None,
    }


def _story_out(item: EditionItem) -> PublishedStoryOut:
    story = item.story
    return PublishedStoryOut(
        headline=item.shown_headline,
        summary=item.shown_summary,
        url=story.link,
        section=item.section.slug if item.section else None,
        source_name=story.source_name,
        author=story.author,
        image_url=story.image_url,
        image_alt=story.image_alt,
    )
