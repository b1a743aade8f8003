"""Let a newsroom's own programs push and list stories."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from ninja import Field, Query, Router, Schema
from ninja.responses import Status
from pydantic import ConfigDict, model_validator

from digest.feeds.manual.pushed import PushedStory, PushOutcome, UnusableStory, push
from digest.models import EditionItem, Story
from subscribers.api import problems
from subscribers.api.auth import Token, require_newsletter
from subscribers.api.fields import (
    IDEMPOTENCY_KEY,
    SLUG,
    Input,
    SlugText,
    Timestamp,
    single_line,
)
from subscribers.api.fields import text as many_lines
from subscribers.api.fields import url as web_address
from subscribers.api.idempotency import idempotent
from subscribers.api.newsletters import get_newsletter
from subscribers.api.openapi import problem_responses
from subscribers.api.pagination import AfterId, Page, paginate
from subscribers.api.problems import ApiProblem
from subscribers.models import Newsletter, Scope, Section

router = Router(tags=["Stories"])

# The model's values; a test compares them.
Origin = Literal["feed", "url", "text", "api"]


class NewStory(Input):
    """A story on your own page (`url`), a story that Daybreak shows itself (`text`), or both."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "anyOf": [{"required": ["url"]}, {"required": ["text"]}],
            "examples": [
                {
                    "title": "Ferry sails on Thursday",
                    "url": "https://news.example.com/ferry",
                    "external_id": "cms-4711",
                    "summary": "The storm is over, and the islands get their mail.",
                    "source_name": "Harbour Daily",
                    "image_url": "https://news.example.com/ferry.jpg",
                    "image_alt": "The ferry in harbour",
                }
            ],
        },
    )

    title: Annotated[str, single_line(300, min_length=1)]
    url: Annotated[str, web_address(2000)] = Field(None, description="Where its headline links to.")  # type: ignore[assignment]
    text: Annotated[str, many_lines(200_000)] = Field(  # type: ignore[assignment]
        None, description="The full text. Without a `url` the headline links to it."
    )
    external_id: Annotated[str, single_line(200)] = Field(
        "", description="Your own id for it: a story keeps its place when its URL changes."
    )
    section: SlugText | None = None
    summary: Annotated[str, many_lines(5000)] = ""
    author: Annotated[str, single_line(200)] = ""
    source_name: Annotated[str, single_line(80)] = Field("", description="The outlet.")
    image_url: Annotated[str, web_address(2000)] | None = None
    image_alt: Annotated[str, single_line(300)] = ""
    image_credit: Annotated[str, single_line(200)] = ""
    published_at: Timestamp | None = Field(
        None,
        description="Without it nobody knows, and the story counts as new from when it was added. "
        "A time up to a day ahead is the current time; one further ahead is unknown.",
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.url is None and self.text is None:
            raise ValueError("Give a url or a text.")
        return self


class StoryOut(Schema):
    id: int
    title: str
    summary: str
    url: str = Field(description="Where its headline links to.")
    section: str | None
    author: str
    source_name: str
    image_url: str
    origin: Origin
    published_at: datetime | None = Field(description="Empty: nobody knows.")
    added_at: datetime
    is_hidden: bool = Field(description="An editor never wants it proposed.")
    is_printed: bool = Field(description="It is in an edition.")


class PushedOut(StoryOut):
    outcome: PushOutcome = Field(
        description="`kept`: the story existed already. It is the same, or editors have placed or "
        "changed it."
    )


class StoryQuery(AfterId):
    printed: bool | None = Field(
        None, description="Only stories that are in an edition, or only stories that are in none."
    )


@router.get(
    "/newsletters/{slug:slug}/stories", response=Page[StoryOut, int],
    auth=Token(Scope.STORIES_READ), operation_id="listStories", summary="List stories",
    openapi_extra=problem_responses(404),
)  # fmt: skip
def list_stories(
    request: HttpRequest, response: HttpResponse, query: Query[StoryQuery], slug: str = SLUG
) -> Page[StoryOut, int]:
    """The story that was added last comes first."""
    found: Any = _stories(_newsletter(request, slug))
    if query.printed is not None:
        found = found.filter(is_printed=query.printed)
    if query.after is not None:
        found = found.filter(pk__lt=query.after)
    rows = list(found.order_by("-pk")[: query.limit + 1])
    rows, after = paginate(request, response, rows=rows, limit=query.limit, key="pk")
    items = [StoryOut(**_story_fields(story)) for story in rows]
    return Page[StoryOut, int](items=items, next_after=after)


@router.post(
    "/newsletters/{slug:slug}/stories", response={200: PushedOut, 201: PushedOut},
    auth=Token(Scope.STORIES_WRITE), operation_id="pushStory", summary="Push a story",
    openapi_extra=problem_responses(404, 409),
)  # fmt: skip
@idempotent
def push_story(
    request: HttpRequest,
    response: HttpResponse,
    data: NewStory,
    slug: str = SLUG,
    idempotency_key: str | None = IDEMPOTENCY_KEY,
) -> Status[PushedOut]:
    """A new story (201), or a correction of the one with the same URL or `external_id` (200).

    Texts are plain; markup is removed. A story that is in an edition, or whose text an editor has
    changed, stays as it is.
    """
    newsletter = _newsletter(request, slug)
    fields = data.model_dump(exclude={"section"}, exclude_none=True)
    try:
        story, outcome = push(
            newsletter=newsletter,
            pushed=PushedStory(**fields),
            section=_section(newsletter, data.section),
            now=now(),
        )
    except UnusableStory as error:
        raise ApiProblem(problems.CONFLICT, str(error)) from None
    stored = _stories(newsletter).get(pk=story.pk)
    return Status(
        201 if outcome is PushOutcome.ADDED else 200,
        PushedOut(**_story_fields(stored), outcome=outcome),
    )


def _newsletter(request: HttpRequest, slug: str) -> Newsletter:
    newsletter = get_newsletter(slug)
    require_newsletter(request, newsletter)
    return newsletter


def _section(newsletter: Newsletter, slug: str | None) -> Section | None:
    if slug is None:
        return None
    section = newsletter.sections.filter(slug=slug).first()
    if section is None:
        raise ApiProblem(problems.CONFLICT, f"{newsletter} has no section {slug}.")
    return section


def _stories(newsletter: Newsletter) -> QuerySet[Story]:
    held = EditionItem.objects.filter(story=OuterRef("pk"), released=False)
    found = Story.objects.filter(newsletter=newsletter).select_related("section")
    return found.annotate(is_printed=Exists(held))


def _story_fields(story: Any) -> dict[str, Any]:
    return {
        "id": story.pk,
        "title": story.title,
        "summary": story.summary,
        "url": story.link,
        "section": story.section.slug if story.section else None,
        "author": story.author,
        "source_name": story.source_name,
        "image_url": story.image_url,
        "origin": story.origin,
        "published_at": story.published_at,
        "added_at": story.added_at,
        "is_hidden": story.is_hidden,
        "is_printed": story.is_printed,
    }
