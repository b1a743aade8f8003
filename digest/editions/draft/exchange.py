"""Decide which stories of a new proposal are clearly better than those of the draft.

Whoever was told of a draft should find it again: what is merely fresher replaces nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# A story replaces another one if its score is so much higher. Of equals, it is six hours fresher,
# or three outlets report it instead of one.
CLEARLY_BETTER = 0.3


@dataclass(frozen=True)
class Rated:
    """A story in a draft or in a proposal; `worth` is the score of its event.

    `lost` says why it may not stay ("hidden"); empty if it may. `labels` are what too many of the
    stories may have in common, such as a source or a topic.
    """

    story_id: int
    event: int | None
    section_id: int | None
    worth: float
    lost: str = ""
    labels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Bounds:
    """How many stories there may be, in all, of a section and of a label, and must of a section."""

    limit: int
    section_limits: Mapping[int, int]
    section_minimums: Mapping[int, int] = field(default_factory=dict)
    label_limits: Mapping[str, int] = field(default_factory=dict)


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
    rules: Bounds,
) -> Exchange:
    """Return what of the proposal `after` the draft `before` takes.

    A story that is lost makes room for the best that is new; any other one only for what is
    clearly better. No event comes twice, no section or label gets more than its limit, and none
    that has its minimum falls below it.
    """
    here = {place.story_id: place for place in before if not place.lost}
    lost = [place for place in before if place.lost]
    proposed = {place.story_id for place in after}
    taken: list[tuple[Rated, Rated | None]] = []
    new = [place for place in after if place.story_id not in {old.story_id for old in before}]
    sections = Counter(place.section_id for place in here.values())

    def is_needed(place: Rated) -> bool:
        return sections[place.section_id] < rules.section_minimums.get(place.section_id or 0, 0)

    for place in sorted(new, key=lambda place: (not is_needed(place), -place.worth)):
        if place.event is not None and place.event in {old.event for old in here.values()}:
            continue
        instead = None
        if len(here) >= rules.limit or not _fits(here, place, rules):
            replaceable = [old for old in here.values() if old.story_id not in proposed]
            instead = _weaker(here, place, replaceable, rules)
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
    rules: Bounds,
) -> Rated | None:
    """Return the weakest story that the place may have instead of; None if there is none."""
    for old in sorted(replaceable, key=lambda old: old.worth):
        if place.worth < old.worth + CLEARLY_BETTER:
            return None
        others = {pk: kept for pk, kept in here.items() if pk != old.story_id}
        if _fits(others, place, rules) and not _leaves_gap(here, old, place, rules):
            return old
    return None


def _leaves_gap(here: Mapping[int, Rated], old: Rated, place: Rated, rules: Bounds) -> bool:
    """Whether the old one's section would have less than its minimum without it."""
    if old.section_id is None or old.section_id == place.section_id:
        return False
    count = sum(kept.section_id == old.section_id for kept in here.values())
    return count <= rules.section_minimums.get(old.section_id, 0)


def _fits(here: Mapping[int, Rated], place: Rated, rules: Bounds) -> bool:
    in_section = sum(old.section_id == place.section_id for old in here.values())
    section = place.section_id
    if section is not None and in_section >= rules.section_limits.get(section, rules.limit):
        return False
    labels = Counter(label for old in here.values() for label in old.labels)
    return all(labels[label] < rules.label_limits.get(label, rules.limit) for label in place.labels)


def _lead(before: Sequence[Rated], after: Sequence[Rated], here: Mapping[int, Rated]) -> int | None:
    """Return the proposal's lead if the draft's is gone, or is clearly weaker; else the draft's."""
    old = here.get(before[0].story_id) if before else None
    best = next((place for place in after if place.story_id in here), None)
    if best and (old is None or best.worth >= old.worth + CLEARLY_BETTER):
        return best.story_id
    return old.story_id if old else next(iter(here), None)
