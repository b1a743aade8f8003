"""Make of a feed's entries the stories that they would become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from digest.feeds import outlets, sanitise
from digest.feeds.dates import past
from digest.feeds.identify import Entry, Identified, identify
from digest.feeds.parse import FeedEntry
from digest.models import Feed, Story

# Fields that a feed may change in a story that it brought.
SOURCE_FIELDS = (
    "title", "summary", "author", "source_name", "image_url", "image_credit",
    "image_width", "image_height",
)  # fmt: skip
# A story has at most so many categories, each of at most so many characters. What is longer is no
# category but a sentence.
MAX_CATEGORIES = 20
CATEGORY_LENGTH = 60


@dataclass(frozen=True)
class Draft:
    """An unsaved story, its entry, and by what that is known."""

    story: Story
    known_by: Identified
    entry: FeedEntry


@dataclass(frozen=True)
class Skipped:
    """An entry that becomes no story; `reason` is a sentence."""

    title: str
    reason: str


def make_drafts(
    *, feed: Feed, entries: Sequence[FeedEntry], now: datetime, site_url: str = ""
) -> list[Draft | Skipped]:
    """Return what becomes of each entry, in the feed's order; each story comes once.

    `feed` need not be saved. `site_url` is the page that it names as its own.
    """
    titles = [_title(entry, feed) for entry in entries]
    found = identify(
        [
            Entry(
                title=title,
                link=entry.link,
                guid=entry.guid,
                published_at=past(entry.published_at, now=now),
                outlet=sanitise.name(entry.source),
                source_url=entry.source_url,
            )
            for entry, title in zip(entries, titles, strict=True)
        ],
        feed_url=feed.url,
        site_url=site_url,
    )
    result: list[Draft | Skipped] = []
    seen: set[object] = set()
    for index, (entry, title, known_by) in enumerate(zip(entries, titles, found, strict=True)):
        if entry.fault or not title or known_by is None:
            reason = entry.fault or ("It has no usable link." if title else "It has no title.")
            result.append(Skipped(title, reason))
            continue
        text = title.casefold(), past(entry.published_at, now=now)
        keys = {known_by.identity, (known_by.url, *text), (known_by.guid or known_by.url, *text)}
        if keys & seen:
            result.append(Skipped(title, "It is the same story as an entry before it."))
            continue
        seen |= keys
        story = _story(feed, entry, title, known_by, now=now)
        # Entries without a date keep the publisher's order.
        story.added_at = now - timedelta(microseconds=index)
        story.feed_position = index
        result.append(Draft(story, known_by, entry))
    return result


def _title(entry: FeedEntry, feed: Feed) -> str:
    return outlets.without_outlet(sanitise.title(entry.title), _outlet(entry, feed))


def _outlet(entry: FeedEntry, feed: Feed) -> str:
    named = entry.source or outlets.outlet_named_by(
        sanitise.title(entry.title), sanitise.plain_text(entry.summary[:2000])
    )
    return sanitise.name(named) or sanitise.name(feed.outlet)


def _story(
    feed: Feed, entry: FeedEntry, title: str, known_by: Identified, *, now: datetime
) -> Story:
    outlet, image = _outlet(entry, feed), entry.image
    summary = sanitise.summary(entry.summary, title=title)
    if outlets.is_only_headline(summary, headline=title, outlet=outlet):
        summary = ""
    story = Story(
        newsletter_id=feed.newsletter_id,
        section_id=feed.section_id,
        feed=feed,
        origin=Story.Origin.FEED,
        url=known_by.url,
        identity=known_by.identity,
        guid=known_by.guid,
        title=title,
        summary=summary,
        author=sanitise.name(entry.author, 200),
        source_name=outlet,
        image_url=image.url if image else "",
        image_credit=sanitise.name(entry.image_credit, 200) if image else "",
        image_width=image.width if image else None,
        image_height=image.height if image else None,
        published_at=past(entry.published_at, now=now),
        stated_language=entry.language,
        categories=clean_categories(entry.categories),
    )
    story.source_hash = source_hash(story)
    return story


def clean_categories(written: Sequence[str]) -> list[str]:
    """Return the categories as plain text, each once; addresses and sentences are left out."""
    found: dict[str, str] = {}
    for name in map(_category, written):
        if name and len(name) <= CATEGORY_LENGTH and "://" not in name:
            found.setdefault(name.casefold(), name)
    return list(found.values())[:MAX_CATEGORIES]


# A feed writes the same few categories with each of its stories.
@lru_cache(maxsize=2000)
def _category(written: str) -> str:
    return " ".join(sanitise.plain_text(written).split())


def source_hash(story: Story) -> str:
    """Return the hash that tells a source's change from an editor's (Story.source_hash)."""
    return sha256(repr([getattr(story, name) for name in SOURCE_FIELDS]).encode()).hexdigest()
