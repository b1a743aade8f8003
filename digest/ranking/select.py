"""Choose stories by their scores: no source or section too often, and a lead with a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from digest.ranking.terms import Features, Term

# Each further story of a source counts for this share of the one before it.
REPEAT_FACTOR = 0.6
# A story that scores less than this share of the best score is stale: at equal weights, it is two
# days older. Stale stories are considered only for the places that are left once each source has
# had its `per_source` fresh ones.
STALE_SHARE = 0.05
# A story with an image leads if it scores at least this share of the best story's score.
LEAD_SHARE = 0.7


@dataclass(frozen=True)
class Candidate:
    """A story that could be printed; `source` is the outlet, empty if unknown.

    `published_at` is when the story was seen first, if nobody knows when it was published.
    `has_image` says that a lead would be printed with its image. `event` is the number of what it
    reports, None if nothing else does, and `sources` is how many outlets report that, None if
    nobody has looked. `is_follow_up` says that the newsletter has printed that. `rank` sets
    `is_stale` (the event had no news for two days) and `terms`.
    """

    id: int
    source: str
    section_id: int | None
    published_at: datetime
    weight: float = 1.0
    has_image: bool = False
    event: int | None = None
    sources: int | None = 1
    is_follow_up: bool = False
    is_stale: bool = False
    features: Features = field(default=Features(), compare=False)
    terms: tuple[Term, ...] = field(default=(), compare=False)


def choose(
    scores: Mapping[Candidate, float],
    *,
    limit: int,
    section_limits: Mapping[int, int],
    per_source: int = 3,
) -> list[Candidate]:
    """Choose and order candidates as `rank` does, by scores that the caller has computed."""
    best_first = sorted(scores, key=lambda c: (-scores[c], -c.published_at.timestamp(), c.id))
    min_score = scores[best_first[0]] * STALE_SHARE if best_first else 0.0
    fresh = [c for c in best_first if scores[c] >= min_score]
    chosen: list[Candidate] = []
    for pool, cap in ((fresh, per_source), (best_first, limit)):
        _choose(chosen, pool, scores, limit=limit, section_limits=section_limits, cap=cap)
    return _spread(_with_lead(chosen, scores))


def _choose(
    chosen: list[Candidate],
    pool: list[Candidate],
    scores: Mapping[Candidate, float],
    *,
    limit: int,
    section_limits: Mapping[int, int],
    cap: int,
) -> None:
    """Add the best of the pool to `chosen`; each further story of a source is worth less."""
    sources = Counter(c.source for c in chosen if c.source)
    sections = Counter(c.section_id for c in chosen)
    taken = set(chosen)
    remaining = [c for c in pool if c not in taken]

    def fits(candidate: Candidate) -> bool:
        section = candidate.section_id
        has_room = section is None or sections[section] < section_limits.get(section, limit)
        return has_room and sources[candidate.source] < cap

    def worth(candidate: Candidate) -> float:
        return scores[candidate] * REPEAT_FACTOR ** sources[candidate.source]

    while len(chosen) < limit and (remaining := [c for c in remaining if fits(c)]):
        # max() keeps the first of equals, so the pool's order, best first, decides between them.
        pick = max(remaining, key=worth)
        remaining.remove(pick)
        chosen.append(pick)
        sections[pick.section_id] += 1
        if pick.source:
            sources[pick.source] += 1


def _with_lead(chosen: list[Candidate], scores: Mapping[Candidate, float]) -> list[Candidate]:
    """Return the same stories, led by one with an image if there is one near the top."""
    if not chosen:
        return chosen
    enough = scores[chosen[0]] * LEAD_SHARE
    lead = next((c for c in chosen if c.has_image and scores[c] >= enough), chosen[0])
    return [lead, *(c for c in chosen if c != lead)]


def _spread(ordered: list[Candidate]) -> list[Candidate]:
    """Return the same stories with the same lead, but each source's stories apart if possible."""
    result, remaining = ordered[:1], ordered[1:]
    while remaining:
        last, crowded = result[-1].source, _crowded_source(remaining)
        others = [c for c in remaining if not c.source or c.source != last]
        urgent = [c for c in others if c.source and c.source == crowded]
        pick = (urgent or others or remaining)[0]
        remaining.remove(pick)
        result.append(pick)
    return result


def _crowded_source(remaining: list[Candidate]) -> str:
    """Return the source of more than half of what remains.

    If none of its stories comes now, two of them will stand next to each other later.
    """
    counts = Counter(c.source for c in remaining if c.source)
    source, count = counts.most_common(1)[0] if counts else ("", 0)
    return source if count * 2 > len(remaining) else ""
