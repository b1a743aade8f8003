"""Tell what a rule would file differently, before it is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.filing.apply import Move, movable, rules_of
from digest.filing.matching import first_match, meets
from digest.models import SectionRule, Story

# So many stories are shown; all are counted.
SHOWN = 50


@dataclass(frozen=True)
class Trial:
    """How many of the last days' stories meet the rule, and what becomes of them."""

    # All that may be filed anew.
    looked_at: int
    matching: int
    # Stories that an earlier rule files, so that this one has no say.
    decided_before: int
    # Stories that it files elsewhere than they are: the first SHOWN of them, and their number.
    moves: Sequence[Move]
    moving: int


def try_rule(rule: SectionRule, *, now: datetime, stories: Sequence[Story] | None = None) -> Trial:
    """Try the rule among the newsletter's others, in its place; it need not be saved.

    `stories` are the last days', if the caller has them already (`apply.movable`).
    """
    if stories is None:
        stories = movable(rule.newsletter_id, now=now)
    others = [one for one in rules_of(rule.newsletter_id) if one.pk != rule.pk]
    # Of equal positions, the rule that was made first is tried first.
    key = rule.position, rule.pk or float("inf")
    before = [one for one in others if (one.position, one.pk) < key]
    met = [story for story in stories if meets(story, rule)]
    decided = [story for story in met if first_match(story, before) is None]
    moves = [Move(s, rule) for s in decided if s.section_id != rule.section_id]
    return Trial(
        looked_at=len(stories),
        matching=len(met),
        decided_before=len(met) - len(decided),
        moves=moves[:SHOWN],
        moving=len(moves),
    )
