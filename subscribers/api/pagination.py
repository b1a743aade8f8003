"""Return a list page by page: each page begins after the last row of the one before."""

from __future__ import annotations

from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Field, Schema

from subscribers.api.fields import LARGEST_ID

Item = TypeVar("Item")
Key = TypeVar("Key")

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
_AFTER = "Continue after this item: the `next_after` of the previous page."


class Paging(Schema):
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="How many at most.")


class AfterId(Paging):
    after: int | None = Field(None, ge=0, le=LARGEST_ID, description=_AFTER)


class AfterSlug(Paging):
    after: str | None = Field(None, pattern=r"^[-a-zA-Z0-9_]+$", max_length=40, description=_AFTER)


class AfterUuid(Paging):
    after: UUID | None = Field(None, description=_AFTER)


class Page(Schema, Generic[Item, Key]):
    """One page of a list; `next_after` is null on the last page."""

    items: list[Item]
    next_after: Key | None = Field(description="Send it as `after` to get the next page.")


def paginate(
    request: HttpRequest, response: HttpResponse, *, rows: list[Any], limit: int, key: str
) -> tuple[list[Any], Any]:
    """Cut `limit` + 1 rows down to a page, and name the next page in the Link header (RFC 8288).

    `key` is the attribute that orders the list: the next page begins after its last value.
    """
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    after = getattr(rows[-1], key)
    query = urlencode({**request.GET.dict(), "after": str(after)})
    response["Link"] = f'<{settings.SITE_URL}{request.path}?{query}>; rel="next"'
    return rows, after


def allow_caching(response: HttpResponse) -> None:
    """Let caches keep what is the same for everybody, so that we are asked once a minute."""
    response["Cache-Control"] = "public, max-age=60"
