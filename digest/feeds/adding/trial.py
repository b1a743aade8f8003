"""Tell which stories a feed or a page would bring, and store none of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from digest.feeds import child_process, fetch, sanitise, urls
from digest.feeds.dates import is_far_ahead, past
from digest.feeds.drafts import Draft, make_drafts
from digest.feeds.ingest import outlet_name
from digest.feeds.manual.by_hand import host_as_outlet
from digest.feeds.manual.pages import read_page
from digest.feeds.packing import CannotUnpack, unpack
from digest.feeds.parse import MAX_ENTRIES, NotAFeed, ParsedFeed, parse
from digest.filing.apply import file_stories, rules_of
from digest.models import Feed, Story
from digest.shorten import truncate


class Unreadable(Exception):
    """There is nothing to try; the message says why in plain words."""


@dataclass(frozen=True)
class Source:
    """What is to be tried; `url` is where it comes from, empty if nobody knows."""

    body: bytes
    url: str
    content_type: str = ""


def load(name: str, *, url: str = "") -> Source:
    """Return what is at a URL or in a file, which then counts as if it came from `url`.

    A file may have another one beside it whose name ends with `.hdr`: the headers that it is served
    with, as a JSON object or as in HTTP.

    Raises:
        Unreadable: nothing can be read there.
    """
    if "://" in name:
        try:
            fetched = fetch.get(name, allow_hosts=settings.FETCH_ALLOW_HOSTS)
        except fetch.FetchError as error:
            raise Unreadable(f"{name} could not be read. {error}") from error
        return Source(fetched.body, url or name, fetched.content_type)
    path, headers = Path(name), Path(f"{name}.hdr")
    limit = fetch.Limits().max_bytes
    try:
        with path.open("rb") as file:
            body = file.read(limit + 1)
        header_text = headers.read_text(errors="replace") if headers.is_file() else ""
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}.") from error
    if len(body) > limit:
        raise Unreadable(f"{name} is larger than {limit / 1e6:g} MB.")
    try:
        encoding = _header(header_text, "content-encoding")
        body = unpack(body, content_encoding=encoding, max_bytes=limit)
    except CannotUnpack as error:
        raise Unreadable(f"{name} cannot be read. {error}") from error
    return Source(body, url, _header(header_text, "content-type"))


def _header(text: str, wanted: str) -> str:
    try:
        found = json.loads(text)
        pairs = list(found.items()) if isinstance(found, dict) else []
    except (ValueError, RecursionError):
        pairs = [line.partition(":")[::2] for line in text.splitlines()]
    return next((str(value).strip() for key, value in pairs if key.strip().lower() == wanted), "")


def try_feed(source: Source, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield what becomes of each entry: a story's texts, or `skipped` with the reason.

    A feed that a newsletter has is read with that feed's outlet, and filed by its section and
    rules. Without a URL, a file counts as if it came from the URL that it names as its own, or as
    its site's.
    """
    try:
        parsed = _parse(source)
        if not source.url:
            own = urls.web_url(parsed.self_url) or urls.web_url(parsed.site_url)
            source = replace(source, url=own)
            parsed = _parse(source)
    except (NotAFeed, child_process.UsedUp) as error:
        yield {"skipped": str(error), "title": ""}
        return
    feed = _stored(source.url) or Feed(url=source.url)
    feed.title = feed.title or sanitise.name(parsed.title, 200)
    feed.source_name = feed.source_name or outlet_name(feed.title)
    rules = rules_of(feed.newsletter_id) if feed.pk else []
    sections = {rule.section_id: rule.section.slug for rule in rules}
    if feed.section:
        sections[feed.section.pk] = feed.section.slug
    for made in make_drafts(feed=feed, entries=parsed.entries, now=now, site_url=parsed.site_url):
        if isinstance(made, Draft):
            file_stories([made.story], rules)
            section = sections.get(made.story.section_id or 0)
            entry = made.entry
            undated = _undated(entry.published_at, entry.written_date, now=now)
            yield _line(made.story, section) | _own_id(made) | undated
        else:
            yield {"skipped": made.reason, "title": made.title}
    for entry in parsed.left_out:
        reason = entry.fault or f"Only the newest {MAX_ENTRIES} entries of a feed come."
        yield {"skipped": reason, "title": sanitise.title(entry.title)}


def _stored(url: str) -> Feed | None:
    try:
        return Feed.objects.select_related("section").filter(url=url).first()
    except DatabaseError:
        # A feed can be read without a database, as one that no newsletter has.
        return None


def _parse(source: Source) -> ParsedFeed:
    return child_process.call(
        parse, source.body, base_url=source.url, content_type=source.content_type
    )


def try_page(source: Source, *, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the story that an article's page would become, or `skipped` with the reason."""
    reason = "It has no headline. Is it an article's page?"
    try:
        page = child_process.call(
            read_page, source.body, url=source.url, content_type=source.content_type
        )
    except child_process.UsedUp as error:
        page, reason = None, str(error)
    if page is None:
        yield {"skipped": reason, "title": ""}
        return
    line = _line(
        Story(
            title=page.title,
            url=page.url,
            identity=urls.identity(page.url) if page.url else "",
            published_at=past(page.published_at, now=now),
            source_name=page.site_name or host_as_outlet(page.url),
            summary=page.summary,
            image_url=page.image.url if page.image else "",
        ),
        section=None,
    )
    missing = {} if page.url else {"missing": "The page's own URL, which --url gives."}
    yield line | _undated(page.published_at, page.written_date, now=now) | missing


def _own_id(draft: Draft) -> dict[str, str]:
    """Return the entry's id if the story is known by it besides; empty if it only is the URL."""
    if not draft.known_by.guid or not draft.known_by.has_own_id:
        return {}
    return {"id": truncate(sanitise.plain_text(draft.entry.guid), 200)}


def _undated(moment: datetime | None, written: str, *, now: datetime) -> dict[str, Any]:
    """Return the date that is written but not believed, under the reason; empty if it is."""
    if not written or (moment and not is_far_ahead(moment, now=now)):
        return {}
    return {"future_date" if moment else "unread_date": truncate(sanitise.plain_text(written), 200)}


def _line(story: Story, section: str | None) -> dict[str, Any]:
    published_at = story.published_at
    return {
        "title": story.title,
        "url": story.url,
        "identity": story.identity,
        "published_at": published_at.astimezone(UTC).isoformat() if published_at else None,
        "outlet": story.source_name,
        "summary": story.summary,
        "image": story.image_url or None,
        "section": section,
    }
