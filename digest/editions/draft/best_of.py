"""Fill a weekly edition with the best of what its week printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from digest.models import Cadence, Edition, EditionItem
from digest.ranking.select import Candidate
from digest.ranking.week import Placement, best_of_week
from digest.rendering.contents import hero_of

WEEK = timedelta(days=7)
# How far back the previous weekly edition is looked for: a changed slot or a DST change may make
# it more than seven days.
MAX_LOOKBACK = timedelta(days=8)


def propose(
    edition: Edition,
    *,
    limit: int,
    section_limits: Mapping[int, int],
    section_minimums: Mapping[int, int],
    now: datetime,
) -> list[EditionItem]:
    """Return the best of the week, the lead first, with the headlines and summaries last printed.

    The items are marked "again", so that they take no story from later editions.
    """
    items = list(_items_of_the_week(edition, now))
    latest = {item.story_id: item for item in items}
    chosen = best_of_week(
        _placements(items, latest),
        limit=limit,
        section_limits=section_limits,
        section_minimums=section_minimums,
    )
    return [_repeated(edition, latest[candidate.id]) for candidate in chosen]


def _items_of_the_week(edition: Edition, now: datetime) -> QuerySet[EditionItem]:
    """Return what readers got since the previous weekly edition, in the order of printing.

    Stories that a weekly edition has had are left out, so that none is repeated.
    """
    already_weekly = EditionItem.objects.filter(
        newsletter=edition.newsletter_id,
        edition__cadence=Cadence.WEEKLY,
        released=False,
        story=OuterRef("story"),
    ).exclude(edition=edition)
    return (
        EditionItem.objects.filter(
            ~Exists(already_weekly),
            newsletter=edition.newsletter_id,
            edition__cadence=Cadence.DAILY,
            edition__corrects=None,
            edition__sending_at__gt=_since(edition, now),
            edition__sending_at__lte=now,
            released=False,
            story__is_hidden=False,
            story__link_died_at=None,
        )
        .select_related("story__feed")
        .order_by("edition__sending_at", "edition_id", "position", "pk")
    )


def _since(edition: Edition, now: datetime) -> datetime:
    """Return when the previous weekly edition was drafted: it has nothing that came out later."""
    before = (
        Edition.objects.filter(
            newsletter=edition.newsletter_id,
            cadence=Cadence.WEEKLY,
            corrects=None,
            drafted_at__lt=edition.drafted_at,
        )
        .exclude(status=Edition.Status.SKIPPED)
        .order_by("-drafted_at")
        .values_list("drafted_at", flat=True)
        .first()
    )
    return max(before, now - MAX_LOOKBACK) if before else now - WEEK


def _placements(items: Sequence[EditionItem], latest: Mapping[int, EditionItem]) -> list[Placement]:
    next_places: Counter[tuple[int, int | None]] = Counter()
    editions_seen: set[int] = set()
    found = []
    for item in items:
        is_lead = item.edition_id not in editions_seen
        editions_seen.add(item.edition_id)
        section = item.edition_id, item.section_id
        found.append(Placement(_candidate(latest[item.story_id]), is_lead, next_places[section]))
        next_places[section] += not is_lead
    return found


def _candidate(item: EditionItem) -> Candidate:
    story = item.story
    hero = hero_of(story)
    return Candidate(
        id=story.pk,
        source=story.source_name or (story.feed.outlet if story.feed else ""),
        section_id=item.section_id,
        published_at=story.dated_at,
        has_image=hero is not None,
        image_width=hero.known_width if hero else 0,
    )


def _repeated(edition: Edition, item: EditionItem) -> EditionItem:
    return EditionItem(
        edition=edition,
        newsletter=edition.newsletter,
        story=item.story,
        section_id=item.section_id,
        headline=item.headline,
        summary=item.summary,
        again=True,
    )
