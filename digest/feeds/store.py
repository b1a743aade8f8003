"""Write a feed's entries to the newsletter's stories, in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.feeds.drafts import SOURCE_FIELDS, Draft, make_drafts, source_hash
from digest.feeds.known import known_stories
from digest.feeds.parse import FeedEntry
from digest.models import EditionItem, Feed, Story


@dataclass(frozen=True)
class StoreCounts:
    """How many entries became new, updated or unchanged stories, and how many were skipped."""

    added: int
    updated: int
    unchanged: int
    skipped: int


def store_entries(
    *,
    feed: Feed,
    entries: Sequence[FeedEntry],
    now: datetime,
    site_url: str = "",
    is_first: bool = False,
) -> StoreCounts:
    """Insert the new stories and update the known ones, in the caller's transaction.

    A known story is updated only by the feed that brought it, only if the feed has changed its text
    and no editor has, and only while it is in no edition. `is_first`: this is the feed's first
    fetch, which does not show how old an entry without a date is.
    """
    made = make_drafts(feed=feed, entries=entries, now=now, site_url=site_url)
    drafts = [draft for draft in made if isinstance(draft, Draft)]
    known = known_stories(feed, drafts)
    # Another feed of the newsletter may be inserting some of them right now; the second insert
    # skips those. Both insert in the same order, so that they cannot deadlock.
    new = sorted(
        (draft.story for index, draft in enumerate(drafts) if index not in known),
        key=lambda story: story.identity,
    )
    for story in new:
        story.is_backlog = is_first and story.published_at is None
    Story.objects.bulk_create(new, ignore_conflicts=True)
    updated = _update(
        [
            (story, drafts[index].story)
            for index, story in known.items()
            if may_update(story, drafts[index].story)
        ]
    )
    return StoreCounts(
        added=len(new),
        updated=updated,
        unchanged=len(drafts) - len(new) - updated,
        skipped=len(entries) - len(drafts),
    )


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
    fields = [*SOURCE_FIELDS, "source_hash", "stated_language"]
    free = [s for s in locked if s.pk not in placed and may_update(s, changed[s.pk])]
    for story in free:
        for name in fields:
            setattr(story, name, getattr(changed[story.pk], name))
    Story.objects.bulk_update(free, fields)
    return len(free)
