"""Tell what other weights would have proposed for the editions of the last seven days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from digest.editions.draft.propose import propose_as_of
from digest.editions.draft.slots import AD_HOC_STORIES
from digest.models import Cadence, Edition, EditionItem, Story
from digest.ranking.terms import Weights
from digest.rendering.contents import in_printed_order
from subscribers.models import Newsletter

DAYS = timedelta(days=7)
# Each takes about as long as a draft. A newsletter with two editions a day has all of them.
MOST_EDITIONS = 14


class Fate(StrEnum):
    """What other weights make of a story's place in an edition."""

    STAYS = "stays"
    COMES_IN = "would come in"
    GOES_OUT = "would go out"
    BY_EDITOR = "put in by an editor"
    CAME_LATER = "arrived after the draft"


@dataclass(frozen=True)
class Place:
    """A story's place in the edition, and its place with other weights, from 1; None: it has none.

    `why` has the reasons with these weights; empty if they do not propose it.
    """

    story: Story
    headline: str
    fate: Fate
    was: int | None
    would_be: int | None
    why: str


@dataclass(frozen=True)
class Comparison:
    """One edition as it is, beside what the weights would have proposed when it was drafted."""

    edition: Edition
    places: list[Place]

    def count(self, fate: Fate) -> int:
        return sum(place.fate == fate for place in self.places)

    @property
    def comes_in(self) -> int:
        return self.count(Fate.COMES_IN)

    @property
    def goes_out(self) -> int:
        return self.count(Fate.GOES_OUT)

    @property
    def stays(self) -> int:
        return self.count(Fate.STAYS)


def compare_last_days(
    newsletter: Newsletter, *, weights: Weights, now: datetime
) -> list[Comparison]:
    """Return a comparison of each daily edition of the last seven days, the newest first.

    Breaking news is not among them, since an editor chose its story. Only the newest MOST_EDITIONS
    are compared. Nothing is stored.
    """
    editions = (
        Edition.objects.filter(
            newsletter=newsletter,
            cadence=Cadence.DAILY,
            corrects=None,
            extra_story=None,
            drafted_at__gt=now - DAYS,
            drafted_at__lte=now,
        )
        .select_related("schedule", "newsletter")
        .order_by("-drafted_at", "-pk")[:MOST_EDITIONS]
    )
    return [_compare(edition, weights) for edition in editions]


def _compare(edition: Edition, weights: Weights) -> Comparison:
    limit = edition.schedule.max_stories if edition.schedule else AD_HOC_STORIES
    proposed = propose_as_of(edition, limit=limit, now=edition.drafted_at, weights=weights)
    items = in_printed_order(list(edition.items.select_related("story", "section")))
    return Comparison(edition, list(_places(items, proposed.items)))


def _places(items: Sequence[EditionItem], proposed: Sequence[EditionItem]) -> Iterator[Place]:
    """Yield what the weights propose, in their order, then what they would leave out."""
    was = {item.story_id: place for place, item in enumerate(items, start=1)}
    for place, item in enumerate(proposed, start=1):
        fate = Fate.STAYS if item.story_id in was else Fate.COMES_IN
        yield _place(item, fate, was.get(item.story_id), place, why=item.why)
    would_be = {item.story_id for item in proposed}
    for item in items:
        if item.story_id not in would_be:
            yield _place(item, _fate_of_left_out(item), was[item.story_id], None)


def _fate_of_left_out(item: EditionItem) -> Fate:
    if not (item.terms or item.why):
        return Fate.BY_EDITOR
    # The autopilot took it into the draft. No weights could have chosen it before.
    has_come = item.story.added_at <= item.edition.drafted_at
    return Fate.GOES_OUT if has_come else Fate.CAME_LATER


def _place(
    item: EditionItem, fate: Fate, was: int | None, would_be: int | None, *, why: str = ""
) -> Place:
    return Place(item.story, item.shown_headline, fate, was, would_be, why)
