"""Write a feed's entries to the newsletter's stories, in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db.models import Q

from digest.feeds import sanitise, urls
from digest.feeds.parse import FeedEntry
from digest.models import EditionItem, Feed, Story

# Fields that a feed may change in a story that it brought.
SOURCE_FIELDS = (
    "title", "summary", "author", "source_name", "image_url", "image_credit",
    "image_width", "image_height",
)  # fmt: skip


@dataclass(frozen=True)
class StoreCounts:
    """How many entries became new, updated or unchanged stories, and how many were skipped."""

    added: int
    updated: int
    unchanged: int
    skipped: int


def store_entries(*, feed: Feed, entries: Sequence[FeedEntry], now: datetime) -> StoreCounts:
    """Insert the new stories and update the known ones, in the caller's transaction.

    A story is known if the newsletter has one with the same canonical URL or the feed's own id,
    whichever feed brought it. A known story is updated only by the feed that brought it, only if
    the feed has changed its text and no editor has, and only while it is in no edition.
    """
    drafts = _drafts(feed=feed, entries=entries, now=now)
    known = _known(feed, drafts)
    # Another feed of the newsletter may be inserting some of them right now; the second insert
    # skips those. Both insert in the same order, so that they cannot deadlock.
    new = sorted((d for d in drafts if id(d) not in known), key=lambda draft: draft.identity)
    Story.objects.bulk_create(new, ignore_conflicts=True)
    updated = _update(
        [
            (story, draft)
            for draft in drafts
            if (story := known.get(id(draft))) and may_update(story, draft)
        ]
    )
    return StoreCounts(
        added=len(new),
        updated=updated,
        unchanged=len(drafts) - len(new) - updated,
        skipped=len(entries) - len(drafts),
    )


def _drafts(*, feed: Feed, entries: Sequence[FeedEntry], now: datetime) -> list[Story]:
    """Return an unsaved story for each usable entry, each story once."""
    drafts: dict[str, Story] = {}
    guids: set[str] = set()
    # An entry without a date counts as no newer than the newest entry that has one. Otherwise the
    # undated entries of a feed that stopped years ago would pass for today's news.
    newest = min(max((e.published_at for e in entries if e.published_at), default=now), now)
    for index, entry in enumerate(entries):
        # Entries without a date keep the publisher's order.
        draft = _draft(feed=feed, entry=entry, now=now, undated=newest - timedelta(seconds=index))
        if draft is None or draft.identity in drafts:
            continue
        # Two pages have the same id, so this publisher's ids identify nothing.
        if draft.guid in guids:
            draft.guid = ""
        guids.add(draft.guid)
        drafts[draft.identity] = draft
    return list(drafts.values())


def _draft(*, feed: Feed, entry: FeedEntry, now: datetime, undated: datetime) -> Story | None:
    title, url = sanitise.title(entry.title), urls.canonical_url(entry.link, base=feed.url)
    if not title or not url:
        return None
    image = entry.image
    story = Story(
        newsletter=feed.newsletter,
        section=feed.section,
        feed=feed,
        origin=Story.Origin.FEED,
        url=url,
        identity=urls.identity(url),
        guid=urls.guid_key(entry.guid, feed_url=feed.url),
        title=title,
        summary=sanitise.summary(entry.summary, title=title),
        author=sanitise.name(entry.author, 200),
        source_name=sanitise.name(entry.source) or sanitise.name(feed.outlet),
        image_url=image.url if image else "",
        image_credit=sanitise.name(entry.image_credit, 200) if image else "",
        image_width=image.width if image else None,
        image_height=image.height if image else None,
        # A date in the future would keep the story on top for days.
        published_at=min(entry.published_at or undated, now),
        added_at=now,
    )
    story.source_hash = source_hash(story)
    return story


def source_hash(story: Story) -> str:
    """Return the hash that tells a source's change from an editor's (Story.source_hash)."""
    return sha256(repr([getattr(story, name) for name in SOURCE_FIELDS]).encode()).hexdigest()


def _known(feed: Feed, drafts: Sequence[Story]) -> dict[int, Story]:
    """Return the stored story of each known draft, by the draft's `id()`."""
    guids = {draft.guid for draft in drafts} - {""}
    stored = Story.objects.filter(
        Q(identity__in=[draft.identity for draft in drafts]) | Q(guid__in=guids),
        newsletter=feed.newsletter,
    )
    by_identity = {story.identity: story for story in stored}
    by_guid = {story.guid: story for story in stored if story.guid}
    found = {id(d): by_identity.get(d.identity) or by_guid.get(d.guid) for d in drafts}
    return {key: story for key, story in found.items() if story is not None}


def may_update(story: Story, draft: Story) -> bool:
    """Tell whether the draft's source brought the story and changed it, and no editor did."""
    source_changed = story.feed_id == draft.feed_id and story.source_hash != draft.source_hash
    # If the story differs from what the feed said last, an editor has changed it.
    return source_changed and story.source_hash == source_hash(story)


def _update(pairs: Sequence[tuple[Story, Story]]) -> int:
    """Copy each draft's text to its story, unless the story is in an edition."""
    changed = {story.pk: draft for story, draft in pairs}
    if not changed:
        return 0
    # With this lock either an editor who places a story now has to wait, or `placed` contains it.
    locked = list(Story.objects.select_for_update().filter(pk__in=changed).order_by("pk"))
    placed = set(EditionItem.objects.filter(story__in=changed).values_list("story_id", flat=True))
    free = [s for s in locked if s.pk not in placed and may_update(s, changed[s.pk])]
    for story in free:
        for name in (*SOURCE_FIELDS, "source_hash"):
            setattr(story, name, getattr(changed[story.pk], name))
    Story.objects.bulk_update(free, [*SOURCE_FIELDS, "source_hash"])
    return len(free)
