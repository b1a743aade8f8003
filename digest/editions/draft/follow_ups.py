"""Find the stories that say something new of an event that readers have read of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from digest.editions.draft.topic import article_of
from digest.models import Cadence, Edition, EditionItem, Story
from digest.ranking import Article
from digest.ranking.follow_up import brings_news, common_stems
from subscribers.models import Newsletter

# Of more new reports of printed events than these, only the newest are read.
MOST_REPORTS = 300
# A weekly edition repeats what daily ones printed, and a correction goes to few.
_IS_DAILY = Q(edition__cadence=Cadence.DAILY, edition__corrects=None)


def find_follow_ups(
    newsletter: Newsletter,
    *,
    taken: QuerySet[EditionItem],
    since: datetime,
    others: Collection[Story],
    now: datetime,
) -> list[tuple[Story, EditionItem]]:
    """Return the fresh stories that follow up a sent edition's, each with what that one printed.

    `taken` is what the newsletter's editions hold, and only what had come by `now` counts.

    A story follows up if it was published and came after the edition was drafted, and the event's
    reports since then say something new. An event that waits in an edition that is not sent yet
    has no follow-up. `others` are the draft's other candidates: their words tell which words are
    frequent.
    """
    newer = _newer_reports(newsletter, taken, since, now)
    printed = _last_printed(taken, {story.event for story in newer}, now)
    if not printed:
        return []
    of_printed = Story.objects.filter(event__in=printed, added_at__lte=now).select_related("feed")
    reports: defaultdict[int, list[Story]] = defaultdict(list)
    for story in [*others, *of_printed]:
        reports[story.event or story.pk].append(story)
    common = common_stems(map(article_of, members) for members in reports.values())
    with_news = {
        event for event, item in printed.items() if _has_news(reports[event], item, common=common)
    }
    return [
        (story, printed[story.event])
        for story in newer
        if story.event in with_news and _is_newer(story, printed[story.event])
    ]


def followed_by(story: Story, edition: Edition) -> EditionItem | None:
    """Return what readers got last of the event of which this story, for this edition, is newer.

    None if they got nothing of it, or if something of it still waits to be sent. Whether the story
    says anything new is for an editor to say.
    """
    if story.event is None or edition.cadence != Cadence.DAILY or edition.corrects_id:
        return None
    items = EditionItem.objects.filter(
        _IS_DAILY, newsletter=edition.newsletter_id, released=False, story__event=story.event
    ).exclude(edition=edition)
    last = items.select_related("edition", "story").order_by("-edition__drafted_at", "-pk").first()
    has_it = last is not None and last.edition.sending_at is not None
    return last if last and has_it and _is_newer(story, last) else None


def why_again(item: EditionItem) -> str:
    """Return it as an editor reads it beside the follow-up of this item."""
    return f"follow-up of “{item.shown_headline[:150]}” on {item.edition.slot_date:%-d %B}"


def _newer_reports(
    newsletter: Newsletter, taken: QuerySet[EditionItem], since: datetime, now: datetime
) -> list[Story]:
    sent = taken.filter(_IS_DAILY, edition__sending_at__lte=now)
    return list(
        Story.objects.filter(
            Exists(sent.filter(story__event=OuterRef("event"))),
            ~Exists(taken.filter(story=OuterRef("pk"))),
            newsletter=newsletter,
            is_hidden=False,
            link_died_at=None,
            published_at__gte=since,
            added_at__lte=now,
        )
        .select_related("feed")
        .order_by("-published_at", "-pk")[:MOST_REPORTS]
    )


def _last_printed(
    taken: QuerySet[EditionItem], events: Collection[int | None], now: datetime
) -> dict[int, EditionItem]:
    """Return what was printed last of each event, if everything of it has gone out."""
    items = taken.filter(_IS_DAILY, story__event__in=events)
    last: dict[int, EditionItem] = {}
    waiting = set()
    for item in items.select_related("story__feed", "edition").order_by("edition__drafted_at"):
        event = item.story.event or item.story_id
        last[event] = item
        if item.edition.sending_at is None or item.edition.sending_at > now:
            waiting.add(event)
    return {event: item for event, item in last.items() if event not in waiting}


def _is_newer(story: Story, printed: EditionItem) -> bool:
    drafted = printed.edition.drafted_at
    return story.added_at > drafted and story.dated_at > drafted


def _has_news(reports: Collection[Story], printed: EditionItem, *, common: Collection[str]) -> bool:
    told = [article_of(story) for story in reports if not _is_newer(story, printed)]
    told.append(Article(printed.shown_headline, printed.shown_summary))
    newer = [article_of(story) for story in reports if _is_newer(story, printed)]
    return brings_news(newer, told, common=common)
