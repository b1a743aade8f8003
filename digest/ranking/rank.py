"""Choose and order an edition's stories: fresh ones, from distinct sources, with a good lead."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

# A score decays with exp(-age / 16 h). That keeps the order of a day's stories, and still lets a
# morning story from a feed of high weight rank above a fresh one from a feed of low weight. The
# gravity of Hacker News or Reddit is made for a front page that turns over within hours.
DECAY_HOURS = 16
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
    reports, None if nothing else does, and `sources` is how many outlets report that.
    """

    id: int
    source: str
    section_id: int | None
    published_at: datetime
    weight: float = 1.0
    has_image: bool = False
    event: int | None = None
    sources: int = 1


def score(candidate: Candidate, *, now: datetime) -> float:
    """Return the feed's weight, decayed by the story's age; a date in the future counts as now."""
    hours = max((now - candidate.published_at).total_seconds(), 0) / 3600
    return candidate.weight * math.exp(-hours / DECAY_HOURS)


def rank(
    candidates: Iterable[Candidate],
    *,
    now: datetime,
    limit: int,
    section_limits: Mapping[int, int],
    per_source: int = 3,
) -> list[Candidate]:
    """Return at most `limit` candidates, the lead first; the same input gives the same order.

    An event is printed once: by the report of the feed with the highest weight, of equals by one
    with an image. It counts as its freshest report does, the more the more outlets report it. No
    section gets more than its limit. No source gets more than `per_source` stories, unless the
    edition would otherwise stay short or take stale stories: a newsletter with one feed is not
    limited to three stories. Neighbours have different sources wherever the choice allows it.
    """
    scores = dict(_event_scores(candidates, now=now))
    return choose(scores, limit=limit, section_limits=section_limits, per_source=per_source)


def _event_scores(
    candidates: Iterable[Candidate], *, now: datetime
) -> Iterator[tuple[Candidate, float]]:
    """Yield the best report of each event, and the event's score."""
    reports: defaultdict[tuple[str, int], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        of_one = ("story", candidate.id) if candidate.event is None else ("event", candidate.event)
        reports[of_one].append(candidate)
    for members in reports.values():
        scores = {member: score(member, now=now) for member in members}
        best = max(members, key=lambda c: (c.weight, c.has_image, scores[c], -c.id))
        sources = max(member.sources for member in members)
        yield best, max(scores.values()) * (1 + math.log(sources))


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
