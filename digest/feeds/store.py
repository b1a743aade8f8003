"""Write a feed's entries to the newsletter's stories, in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.feeds.drafts import SOURCE_FIELDS, Draft, make_drafts, source_hash
from digest.feeds.known import known_stories
from digest.feeds.parse import FeedEntry
from digest.filing.apply import file_stories, rules_of
from digest.models import EditionItem, Feed, SectionRule, Story


@dataclass(frozen=True)
class StoreCounts:
    """How many entries became new, updated or unchanged stories, and how many were skipped.

    `dates`: when each new story was published, if anybody knows.
    """

    added: int
    updated: int
    unchanged: int
    skipped: int
    dates: Sequence[datetime | None] = ()


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
    rules = rules_of(feed.newsletter_id)
    file_stories((draft.story for draft in drafts), rules)
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
    pairs = [(story, drafts[index].story) for index, story in known.items()]
    updated = _update([pair for pair in pairs if may_update(*pair)], rules)
    _categorise([pair for pair in pairs if not may_update(*pair)], rules)
    return StoreCounts(
        added=len(new),
        updated=updated,
        unchanged=len(drafts) - len(new) - updated,
        skipped=len(entries) - len(drafts),
        dates=[story.published_at for story in new],
    )


def may_update(story: Story, draft: Story) -> bool:
    """Tell whether the draft's source brought the story and changed it, and no editor did."""
    source_changed = story.feed_id == draft.feed_id and story.source_hash != draft.source_hash
    # If the story differs from what the feed said last, an editor has changed it.
    return source_changed and story.source_hash == source_hash(story)


def _update(pairs: Sequence[tuple[Story, Story]], rules: Sequence[SectionRule]) -> int:
    """Copy each draft's text to its story, unless the story is in an edition, and file it anew."""
    changed = {story.pk: draft for story, draft in pairs}
    fields = [*SOURCE_FIELDS, "source_hash", "stated_language", "categories"]
    free = [story for story in _lock_free(changed) if may_update(story, changed[story.pk])]
    for story in free:
        for name in fields:
            setattr(story, name, getattr(changed[story.pk], name))
    file_stories(free, rules)
    Story.objects.bulk_update(free, [*fields, "section"])
    return len(free)


def _categorise(pairs: Sequence[tuple[Story, Story]], rules: Sequence[SectionRule]) -> None:
    """Copy each draft's categories to its story, also if an editor has changed its text.

    A feed may add them later than the story. A feed that brings none any more takes none away.
    """
    changed = {
        story.pk: draft
        for story, draft in pairs
        if draft.categories
        and story.categories != draft.categories
        and story.feed_id == draft.feed_id
    }
    free = _lock_free(changed)
    for story in free:
        story.categories = changed[story.pk].categories
    file_stories(free, rules)
    Story.objects.bulk_update(free, ["categories", "section"])


def _lock_free(changed: Mapping[int, Story]) -> list[Story]:
    """Return the stories of these ids that are in no edition, locked."""
    if not changed:
        return []
    # With this lock either an editor who places a story now has to wait, or `placed` contains it.
    locked = list(
        Story.objects.select_for_update(of=("self",))
        .select_related("feed")
        .filter(pk__in=changed)
        .order_by("pk")
    )
    placed = set(EditionItem.objects.filter(story__in=changed).values_list("story_id", flat=True))
    return [story for story in locked if story.pk not in placed]
