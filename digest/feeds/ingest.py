"""Bring a feed's entries into the newsletter's stories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from digest.models import Feed
from subscribers.models import Newsletter, Section


@dataclass(frozen=True)
class IngestReport:
    """What one fetch brought; `error` is empty when it went well."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    error: str = ""
    # False: nothing was fetched, for another process had claimed the feed.
    fetched: bool = True


def due_feed_ids(*, now: datetime) -> list[int]:
    """The active feeds whose next fetch is due, longest waiting first."""
    return list(
        Feed.objects.filter(is_active=True, next_fetch_at__lte=now)
        .order_by("next_fetch_at", "id")
        .values_list("id", flat=True)
    )


def fetch_feed(*, feed_id: int, now: datetime, force: bool = False) -> IngestReport:
    """Fetch one due feed (with `force`: one that is not due, too) and store what is new."""
    raise NotImplementedError


def add_feed(
    *, newsletter: Newsletter, url: str, section: Section | None = None, now: datetime
) -> Feed:
    """Add a feed after one fetch that shows that it is one; its stories come in with it."""
    raise NotImplementedError
