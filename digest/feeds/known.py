"""Find the stored story of each entry, although publishers change URLs, ids and headlines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import Q

from digest.feeds.drafts import Draft
from digest.models import Feed, Story

Text = tuple[str, str, datetime | None]


def known_stories(feed: Feed, drafts: Sequence[Draft]) -> dict[int, Story]:
    """Return the stored story of each known draft, by the draft's index; each story once.

    A story is known by its URL or its id, in whichever feed it comes. If the feed has neither of
    them any more, it is the feed's story of the same title and date: some feeds have new URLs and
    ids at each fetch. The drafts that are new lose what would be another story's: they get their
    own identity, or no id.
    """
    stored = _candidates(feed, drafts)
    known: dict[int, Story] = {}
    taken: set[int] = set()
    for index, story in _by_likeness(feed, drafts, stored):
        if index not in known and story.pk not in taken:
            known[index] = story
            taken.add(story.pk)
    by_text: dict[Text, list[Story]] = defaultdict(list)
    for story in stored:
        if story.feed_id == feed.pk:
            for text in _texts(story):
                by_text[text].append(story)
    for index, draft in enumerate(drafts):
        same = (story for text in _texts(draft.story) for story in by_text[text])
        if index not in known and (found := next((s for s in same if s.pk not in taken), None)):
            known[index] = found
            taken.add(found.pk)
    _make_unique(drafts, known, stored)
    return known


def _candidates(feed: Feed, drafts: Sequence[Draft]) -> list[Story]:
    stories = [draft.story for draft in drafts]
    identities = {key for d in drafts for key in (d.known_by.identity, d.known_by.own_identity)}
    same_words = Q(source_hash__in={story.source_hash for story in stories})
    same_title = Q(title__in={story.title for story in stories})
    dates = {story.published_at for story in stories} - {None}
    same_text = Q(published_at=None) & same_words
    same_text |= Q(published_at__in=dates) & (same_title | same_words)
    return list(
        Story.objects.filter(
            Q(identity__in=identities)
            | Q(guid__in={story.guid for story in stories} - {""})
            | Q(feed=feed) & same_text,
            newsletter=feed.newsletter_id,
        )
    )


def _texts(story: Story) -> list[Text]:
    """Return what makes two stories of a feed the same, each of them enough.

    An editor may have changed the title, so the source's words count as well. Without a date they
    alone do, since a column has the same title each week.
    """
    words = "words", story.source_hash, story.published_at
    return [words, ("title", story.title, story.published_at)] if story.published_at else [words]


def _by_likeness(
    feed: Feed, drafts: Sequence[Draft], stored: Sequence[Story]
) -> Iterator[tuple[int, Story]]:
    """Yield the pairs of a draft's index and a stored story that may be the same, the best first.

    The best are first, since a feed may number its entries anew: the entry with another's old
    number must not be taken for it if the other one is still there.
    """
    by_identity = {story.identity: story for story in stored}
    by_guid = {story.guid: story for story in stored if story.guid}
    pairs = []
    for index, draft in enumerate(drafts):
        keys = draft.known_by.identity, draft.known_by.own_identity
        found = [by_identity.get(key) for key in keys] + [by_guid.get(draft.story.guid)]
        for story in {story.pk: story for story in found if story}.values():
            if likeness := _likeness(story, draft, is_same_feed=story.feed_id == feed.pk):
                pairs.append((-likeness, index, story))
    for _, index, story in sorted(pairs, key=lambda pair: pair[:2]):
        yield index, story


def _likeness(story: Story, draft: Draft, *, is_same_feed: bool) -> int:
    """Return how much speaks for one story under two names; 0 if too much speaks against it."""
    new = draft.story
    same_url = story.identity in (draft.known_by.identity, draft.known_by.own_identity)
    same_id = bool(new.guid) and story.guid == new.guid
    same_title = story.title.casefold() == new.title.casefold()
    same_date = new.published_at is not None and story.published_at == new.published_at
    if same_id and not same_url and not same_title:
        # An id of another feed may be the number of another article, and so may one of this feed
        # if its URL, title and date are all new.
        is_other = bool(story.published_at and new.published_at) and not same_date
        if is_other or not is_same_feed:
            return 0
    # One page may have all of a feed's entries, one after the other, and of one date.
    is_numbered = is_same_feed and draft.known_by.has_own_id and bool(story.guid)
    same_words = same_date and _is_alike(story.title, new.title)
    if is_numbered and not (same_id or same_title or same_words):
        return 0
    return 5 * same_id + 4 * same_url + 2 * same_title + same_date


def _is_alike(one: str, other: str) -> bool:
    """Tell whether a headline may be a corrected form of the other: half of its words are there."""
    first, second = (set(re.findall(r"\w+", title.casefold())) for title in (one, other))
    return 2 * len(first & second) >= min(len(first), len(second))


def _make_unique(drafts: Sequence[Draft], known: dict[int, Story], stored: Sequence[Story]) -> None:
    """Leave no new draft with the identity or the id of a story that it is not."""
    identities = {story.identity for story in stored}
    guids = {story.guid for story in stored}
    for index, draft in enumerate(drafts):
        if index not in known:
            story = draft.story
            if story.identity in identities:
                story.identity = draft.known_by.own_identity
            if story.guid in guids:
                story.guid = ""
