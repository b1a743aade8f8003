"""Choose the best of a week from what its editions printed, by the place that editors gave it."""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from digest.ranking.select import Candidate, choose

# A lead counts 1. A story at the head of a section counts SECTION_HEAD_SCORE, and each story below
# it counts POSITION_DECAY times the one above. So the leads of the week come first, then the heads
# of sections.
SECTION_HEAD_SCORE = 0.5
POSITION_DECAY = 0.7
# Prominence is compared by ratios, and `choose` compares differences, so it gets the logarithm.
# Its two limits then stand for shares of about 0.6 (a source's next story) and 0.7 (the lead).
LOG_UNIT = 0.8


@dataclass(frozen=True)
class Placement:
    """A story's place in one of the week's editions; `place` counts from 0 within its section."""

    story: Candidate
    is_lead: bool
    place: int


def prominence(placement: Placement) -> float:
    """Return how prominently a story was printed: 1 for a lead, less further down."""
    return 1.0 if placement.is_lead else float(SECTION_HEAD_SCORE * POSITION_DECAY**placement.place)


def best_of_week(
    placements: Iterable[Placement],
    *,
    limit: int,
    section_limits: Mapping[int, int],
    section_minimums: Mapping[int, int] | None = None,
) -> list[Candidate]:
    """Return at most `limit` stories, the lead first; a story printed twice counts twice.

    Of equals, the later one comes first. Sections and sources are limited as in `rank`.
    """
    prominences: defaultdict[Candidate, float] = defaultdict(float)
    for each in placements:
        prominences[each.story] += prominence(each)
    scores = {
        story: LOG_UNIT * math.log(max(share, sys.float_info.min))
        for story, share in prominences.items()
    }
    return choose(
        scores, limit=limit, section_limits=section_limits, section_minimums=section_minimums
    )
