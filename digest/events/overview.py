"""What there is to know of one event: who reported it and when, and where it was printed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Q

from digest.events.recent import COMPARED_WITHIN
from digest.events.summary import Summary, summarise
from digest.models import EditionItem, Story

# A longer curve is drawn in steps of several hours.
MOST_STEPS = 72
# An event that an editor looks for is named in a few words, and is one of the first found.
MOST_WORDS, MOST_FOUND = 6, 12
# Of more reports than these, only the first ones are shown.
MOST_REPORTS = 500


@dataclass(frozen=True)
class CurveStep:
    """How many reports were published from `start` until the next step."""

    start: datetime
    reports: int


@dataclass(frozen=True)
class Overview:
    """One event; `reports` are in the order in which they were published.

    `headline` is the best report. `languages` has the number of reports for each language's tag,
    the empty one if it is unknown. `curve` goes from the first report to the last, in steps of
    `hours_per_step`.
    """

    number: int
    reports: Sequence[Story]
    headline: Story
    summary: Summary
    last_at: datetime
    languages: Counter[str]
    curve: Sequence[CurveStep]
    hours_per_step: int
    places: Sequence[EditionItem]

    @property
    def outlets(self) -> list[tuple[str, list[Story]]]:
        """The name of each outlet and its reports, the first to report it first."""
        found: defaultdict[str, list[Story]] = defaultdict(list)
        for story in self.reports:
            found[story.outlet].append(story)
        return list(found.items())

    @property
    def copies(self) -> set[int]:
        """The ids of the reports whose text an earlier one here has."""
        texts: set[int] = set()
        found = set()
        for story in self.reports:
            if story.text_number in texts:
                found.add(story.pk)
            elif story.text_number is not None:
                texts.add(story.text_number)
        return found


def overview_of(number: int) -> Overview | None:
    """Return the event of this number, or None if no story has it."""
    found = Story.objects.filter(event=number).select_related("feed", "newsletter")
    reports = sorted(found[:MOST_REPORTS], key=lambda story: (story.dated_at, story.pk))
    if not reports:
        return None
    items = EditionItem.objects.filter(story__event=number, released=False)
    hours, curve = _curve([story.dated_at for story in reports])
    return Overview(
        number=number,
        reports=reports,
        headline=best_report(reports),
        summary=summarise(reports),
        last_at=reports[-1].dated_at,
        languages=Counter(story.lang for story in reports),
        curve=curve,
        hours_per_step=hours,
        places=list(items.select_related("edition", "story").order_by("-edition__slot_date", "pk")),
    )


def best_report(reports: Sequence[Story]) -> Story:
    """Return the report that stands for the event.

    It is of the feed with the highest weight. Of equals it is one with a picture, then the one
    with the longest summary, then the first.
    """
    return min(
        reports,
        key=lambda story: (
            -(story.feed.weight if story.feed else 1.0),
            not story.image_url,
            -len(story.summary),
            story.dated_at,
            story.pk,
        ),
    )


def other_events(event: Overview, words: str) -> list[Story]:
    """Return a report of each other event of that time that has these words in a title."""
    first, last = event.reports[0].dated_at - COMPARED_WITHIN, event.last_at + COMPARED_WITHIN
    wanted = Q()
    for word in words.split()[:MOST_WORDS]:
        wanted &= Q(title__icontains=word)
    if not wanted:
        return []
    dated = Q(published_at__range=(first, last))
    undated = Q(published_at=None, added_at__range=(first, last))
    stories = Story.objects.filter(
        dated | undated, wanted, newsletter=event.headline.newsletter_id
    ).exclude(event=event.number)
    found: dict[int, Story] = {}
    for story in stories.select_related("feed").order_by("-added_at")[: 20 * MOST_FOUND]:
        found.setdefault(story.event or story.pk, story)
    return list(found.values())[:MOST_FOUND]


def _curve(times: Sequence[datetime]) -> tuple[int, list[CurveStep]]:
    """Return the hours of each step, and the steps from the first time to the last."""
    start = times[0].replace(minute=0, second=0, microsecond=0)
    hours_in_all = int((times[-1] - start).total_seconds() // 3600) + 1
    hours = ceil(hours_in_all / MOST_STEPS)
    width = timedelta(hours=hours)
    counts = Counter((time - start) // width for time in times)
    return hours, [
        CurveStep(start + at * width, counts[at]) for at in range(ceil(hours_in_all / hours))
    ]
