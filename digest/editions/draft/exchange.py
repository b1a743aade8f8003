"""Decide which stories of a new proposal are clearly better than those of the draft.

Whoever was told of a draft should find it again: what is merely fresher replaces nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A story replaces another one if its score is so much higher. Of equals, it is six hours fresher,
# or three outlets report it instead of one.
CLEARLY_BETTER = 0.3


@dataclass(frozen=True)
class Rated:
    """A story in a draft or in a proposal; `worth` is the score of its event.

    `lost` says why it may not stay ("hidden"); empty if it may.
    """

    story_id: int
    event: int | None
    section_id: int | None
    worth: float
    lost: str = ""


@dataclass(frozen=True)
class Exchange:
    """What is taken, each instead of a story or of none; what is dropped; the order with the lead.

    `order` has the ids of the stories before the sections are put in their order.
    """

    taken: list[tuple[Rated, Rated | None]]
    dropped: list[Rated]
    order: list[int]
    has_new_lead: bool


def exchange(
    before: Sequence[Rated],
    after: Sequence[Rated],
    *,
    limit: int,
    section_limits: Mapping[int, int],
) -> Exchange:
    """Return what of the proposal `after` the draft `before` takes.

    A story that is lost makes room for the best that is new; any other one only for what is
    clearly better. No event comes twice, and no section gets more than its limit.
    """
    here = {place.story_id: place for place in before if not place.lost}
    lost = [place for place in before if place.lost]
    proposed = {place.story_id for place in after}
    taken: list[tuple[Rated, Rated | None]] = []
    new = [place for place in after if place.story_id not in {old.story_id for old in before}]
    for place in sorted(new, key=lambda place: -place.worth):
        if place.event is not None and place.event in {old.event for old in here.values()}:
            continue
        instead = None
        if len(here) >= limit or not _fits(here, place, section_limits):
            replaceable = [old for old in here.values() if old.story_id not in proposed]
            instead = _weaker(here, place, replaceable, section_limits)
            if instead is None:
                continue
            del here[instead.story_id]
        elif lost:
            instead = lost.pop(0)
        here[place.story_id] = place
        taken.append((place, instead))
    lead = _lead(before, after, here)
    ranked = [lead, *_in_old_order(before, after, here)]
    old_lead = before[0].story_id if before else None
    return Exchange(
        taken=taken,
        dropped=lost,
        order=[pk for pk in dict.fromkeys(ranked) if pk is not None],
        has_new_lead=old_lead in here and lead != old_lead,
    )


def _in_old_order(
    before: Sequence[Rated], after: Sequence[Rated], here: Mapping[int, Rated]
) -> list[int]:
    """Return the stories in the draft's order, and what is new as high as it was proposed."""
    order = [place.story_id for place in before if place.story_id in here]
    for rank, place in enumerate(after):
        if place.story_id in here and place.story_id not in order:
            order.insert(rank, place.story_id)
    return order


def _weaker(
    here: Mapping[int, Rated],
    place: Rated,
    replaceable: Sequence[Rated],
    section_limits: Mapping[int, int],
) -> Rated | None:
    """Return the weakest story that the place may have instead of; None if there is none."""
    for old in sorted(replaceable, key=lambda old: old.worth):
        if place.worth < old.worth + CLEARLY_BETTER:
            return None
        others = {pk: kept for pk, kept in here.items() if pk != old.story_id}
        if _fits(others, place, section_limits):
            return old
    return None


def _fits(here: Mapping[int, Rated], place: Rated, section_limits: Mapping[int, int]) -> bool:
    if place.section_id is None or place.section_id not in section_limits:
        return True
    counts = Counter(old.section_id for old in here.values())
    return counts[place.section_id] < section_limits[place.section_id]


def _lead(before: Sequence[Rated], after: Sequence[Rated], here: Mapping[int, Rated]) -> int | None:
    """Return the proposal's lead if the draft's is gone, or is clearly weaker; else the draft's."""
    old = here.get(before[0].story_id) if before else None
    best = next((place for place in after if place.story_id in here), None)
    if best and (old is None or best.worth >= old.worth + CLEARLY_BETTER):
        return best.story_id
    return old.story_id if old else next(iter(here), None)
