"""Choose and order an edition's stories: fresh ones, from distinct sources, with a good lead."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from digest.ranking.select import Candidate, choose

# A score decays with exp(-age / 16 h). That keeps the order of a day's stories, and still lets a
# morning story from a feed of high weight rank above a fresh one from a feed of low weight. The
# gravity of Hacker News or Reddit is made for a front page that turns over within hours.
DECAY_HOURS = 16


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
