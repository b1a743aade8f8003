"""Find the stories that an edition may print: fresh, not taken, and news."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import Coalesce, Greatest, RowNumber

from digest.editions.draft.passed_over import (
    FRESH_FOR,
    LATE_FOR,
    Sieve,
)
from digest.models import Cadence, Edition, EditionItem, Story
from subscribers.models import Newsletter

# The ranking chooses from this many of the newest stories at most, and from so many reports of the
# events that most outlets report: a large newsroom's newest are those of two hours.
MAX_CANDIDATES = 500
MOST_EVENTS = 100
# And from so many of one feed: one whose entries are all new at each fetch, or all dated now, would
# be the only one.
MAX_OF_A_FEED = 100
# The newest first. A story that an editor asks for is as new as the wish.
_NEWEST = (Greatest(Coalesce("published_at", "added_at"), "wanted_at").desc(), "-pk")


def stories_to_print(
    edition: Edition, taken: QuerySet[EditionItem], *, limit: int, now: datetime
) -> list[Story]:
    """Return what the edition may print: fresh stories and, if they are too few, late ones.

    A feed that was added today, or that publishes once a week, brings stories of the last days.
    They follow behind the fresh ones, since the ranking goes by age.
    """
    since = fresh_since(edition, now)
    free = _free_stories(taken, edition.newsletter, now=now)
    is_fresh = _is_fresh(since)
    fresh = _news(free.filter(is_fresh))
    if len(fresh) >= (edition.schedule.min_stories if edition.schedule else limit):
        return fresh
    is_late = Q(added_at__gte=since, published_at__gte=now - LATE_FOR)
    return _news(free.filter(is_fresh | is_late))


def count_new(edition: Edition, *, now: datetime) -> int:
    """Return how many fresh stories there are that it could print."""
    free = _free_stories(items_taken(edition, now=now), edition.newsletter, now=now)
    return free.filter(_is_fresh(fresh_since(edition, now))).count()


def _is_fresh(since: datetime) -> Q:
    is_new = Q(published_at__gte=since) | Q(published_at=None, added_at__gte=since)
    # What an editor has asked for is as new as the wish.
    return is_new | Q(wanted_at__gte=since)


def _news(stories: QuerySet[Story]) -> list[Story]:
    place = Window(RowNumber(), partition_by=Coalesce("feed", -F("pk")), order_by=_NEWEST)
    near = stories.annotate(place_in_feed=place).filter(place_in_feed__lte=MAX_OF_A_FEED)
    candidates: list[Story] = list(near[:MAX_CANDIDATES])
    if len(candidates) == MAX_CANDIDATES:
        candidates += _widely_reported(stories, beside=candidates)
    sieve = Sieve(candidates)
    return [story for story in candidates if not sieve.why(story)]


def _widely_reported(stories: QuerySet[Story], *, beside: Sequence[Story]) -> list[Story]:
    """Return those that report what most outlets do, and those that editors rank higher."""
    outlets = Count("source_name", distinct=True)
    events = (
        stories.order_by()
        .values("event")
        .annotate(outlets=outlets)
        .filter(event__isnull=False, outlets__gt=1)
        .order_by("-outlets", "-event")
        .values_list("event", flat=True)[:MOST_EVENTS]
    )
    ids = [story.pk for story in beside]
    others = stories.filter(Q(event__in=list(events)) | Q(boost__gt=0)).exclude(pk__in=ids)
    return list(others[:MAX_CANDIDATES])


def fresh_since(edition: Edition, now: datetime) -> datetime:
    """Return when the previous edition was drafted, but no less than 24 and at most 48 hours ago.

    At least 24 hours, because a story that one edition had no room for may still lead the next.
    """
    previous = (
        Edition.objects.filter(newsletter=edition.newsletter_id, drafted_at__lt=edition.drafted_at)
        .filter(cadence=Cadence.DAILY)
        .exclude(pk=edition.pk)
        .exclude(status=Edition.Status.SKIPPED)
        .exclude(corrects__isnull=False)
        .exclude(extra_story__isnull=False)
        .order_by("-drafted_at")
        .values_list("drafted_at", flat=True)
        .first()
    )
    last = previous or now - FRESH_FOR
    return max(now - FRESH_FOR, min(last, now - timedelta(hours=24)))


def items_taken(edition: Edition, *, now: datetime, beside: bool = False) -> QuerySet[EditionItem]:
    """Return what the newsletter's other editions held, with `beside` its own items, too."""
    # An edition sees all that were made before it, and later ones from their draft on.
    there = Q(edition__lt=edition.pk) | Q(edition__drafted_at__lte=now)
    items = EditionItem.objects.filter(newsletter=edition.newsletter_id, released=False)
    if beside:
        return items.filter(there | Q(edition=edition))
    return items.filter(there).exclude(edition=edition)


def _free_stories(
    taken: QuerySet[EditionItem], newsletter: Newsletter, *, now: datetime
) -> QuerySet[Story]:
    """Return the stories that are not taken, nor is their event, newest first.

    Without a date, a story is as new as its arrival. What its feed held already when it was added
    is left to the editors, since it may be years old.
    """
    # Breaking news is printed for good, also if a draft had the story then.
    for_good = Q(again=False) | Q(edition__extra_story__isnull=False)
    held = taken.filter(for_good, story=OuterRef("pk"))
    printed = taken.filter(story__event=OuterRef("event"))
    return (
        Story.objects.filter(
            ~Exists(held),
            ~Exists(printed),
            newsletter=newsletter,
            is_hidden=False,
            link_died_at=None,
            added_at__lte=now,
        )
        .exclude(published_at=None, is_backlog=True, wanted_at=None)
        .select_related("feed")
        .order_by(*_NEWEST)
    )
