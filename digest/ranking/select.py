"""Choose stories by their scores: for variety, and with a lead whose picture is printed.

Scores are compared by their differences, so they may be negative. Their unit: a story of this
minute is 1.0 better than an infinitely old one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from digest.ranking.terms import Features, Term

# A source has so many stories while others have any.
PER_SOURCE = 3
# Each story that a source has in the edition already costs its next one so much.
REPEAT_COST = 0.4
# The same for a topic, so that its second story has to be better than the first of others.
TOPIC_COST = 0.25
# Events of one cluster may be one event after all, so the second one has to be much better.
CLUSTER_COST = 0.6
# And so may be one that readers had lately.
MAY_REPEAT_COST = 0.2
# A topic has two stories; more only if the edition would stay short, and never more than a third.
PER_TOPIC, TOPIC_SHARE = 2, 3
# Readers know the events of follow-ups already.
MOST_FOLLOW_UPS = 2
# A story with a picture leads if the best one is at most so much better. The feed of a picture of
# unknown size may have a thumbnail of 100 pixels there, so that one has to be nearer.
LEAD_WITHIN, LEAD_WITHIN_UNKNOWN = 0.3, 0.15


@dataclass(frozen=True)
class Candidate:
    """A story that could be printed; `source` is the outlet, empty if unknown.

    `published_at` is when the story was seen first, if nobody knows when it was published.
    `has_image` says that a lead would be printed with its image, and `image_width` how wide, in
    pixels; 0 if nobody knows. `event` is the number of what it reports, None if nothing else does,
    and `sources` is how many outlets report that, None if nobody has looked. `has_summary` says
    that its summary tells more than its title. Stories of one `topic` have it by one name; empty:
    no others are about it. Events of one `cluster` may be one after all; None: not compared.
    `may_repeat` says that readers lately had an event of its cluster.
    `is_follow_up` says that readers know its event. `rank` sets `is_stale`, which says that nothing
    about it is new, and `terms`.
    """

    id: int
    source: str
    section_id: int | None
    published_at: datetime
    weight: float = 1.0
    has_image: bool = False
    event: int | None = None
    sources: int | None = 1
    image_width: int = 0
    has_summary: bool = False
    topic: str = ""
    cluster: int | None = None
    may_repeat: bool = False
    is_stale: bool = False
    is_follow_up: bool = False
    features: Features = field(default=Features(), compare=False)
    terms: tuple[Term, ...] = field(default=(), compare=False)


def best_report(reports: Iterable[Candidate]) -> Candidate:
    """Return the report by which an event is printed.

    That is the one of the editors' highest weight, of equals one whose summary says something, then
    one with a picture that a lead prints, known to be wide enough, then the freshest.
    """
    return max(
        reports,
        key=lambda c: (
            c.weight, c.has_summary, _picture(c), c.published_at.timestamp(), -c.id,
        ),
    )  # fmt: skip


def choose(
    scores: Mapping[Candidate, float],
    *,
    limit: int,
    section_limits: Mapping[int, int],
    section_minimums: Mapping[int, int] | None = None,
    per_source: int = PER_SOURCE,
) -> list[Candidate]:
    """Choose and order candidates as `rank` does, by scores that the caller has computed.

    Sections get their minimums first, of what is not stale. Then each rule is loosened only for
    the places that are left: first the limit of stories of one source, then of one topic, and what
    is stale comes last. The other limits are always kept.
    """
    best_first = sorted(scores, key=lambda c: (-scores[c], -c.published_at.timestamp(), c.id))
    fresh = [c for c in best_first if not c.is_stale]
    edition = _Edition(limit, section_limits)
    for cap in (per_source, limit):
        edition.fill(fresh, scores, per_source=cap, minimums=section_minimums or {})
    for pool, cap, is_short in (
        (fresh, per_source, False),
        (fresh, limit, False),
        (fresh, limit, True),
        (best_first, limit, True),
    ):
        edition.fill(pool, scores, per_source=cap, is_short=is_short)
    return _spread(_with_lead(_by_worth(edition.chosen, scores), scores))


@dataclass
class _Edition:
    """What is chosen so far, counted by what is limited."""

    limit: int
    section_limits: Mapping[int, int]
    chosen: list[Candidate] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    clusters: Counter[int] = field(default_factory=Counter)
    sections: Counter[int | None] = field(default_factory=Counter)

    def fill(
        self,
        pool: Iterable[Candidate],
        scores: Mapping[Candidate, float],
        *,
        per_source: int,
        is_short: bool = False,
        minimums: Mapping[int, int] | None = None,
    ) -> None:
        """Take the best of the pool, given best first, as long as something fits.

        With `minimums`, only sections that have less than theirs take something.
        """
        remaining = [c for c in pool if c not in self.chosen]
        while len(self.chosen) < self.limit:
            fitting = [c for c in remaining if self._fits(c, per_source, is_short)]
            if minimums is not None:
                fitting = [c for c in fitting if self._is_needed(c, minimums)]
            if not fitting:
                return
            # max() keeps the first of equals, so the pool's order decides between them.
            pick = max(fitting, key=lambda c: self.worth(c, scores))
            remaining.remove(pick)
            self.take(pick)

    def take(self, pick: Candidate) -> None:
        self.chosen.append(pick)
        self.sections[pick.section_id] += 1
        if pick.source:
            self.sources[pick.source] += 1
        if pick.topic:
            self.topics[pick.topic] += 1
        if pick.cluster is not None:
            self.clusters[pick.cluster] += 1

    def worth(self, candidate: Candidate, scores: Mapping[Candidate, float]) -> float:
        """Return a score less what earlier stories of its source, topic and cluster cost it."""
        cost = REPEAT_COST * self.sources[candidate.source]
        cost += TOPIC_COST * self.topics[candidate.topic]
        if candidate.cluster is not None:
            cost += CLUSTER_COST * self.clusters[candidate.cluster]
        cost += MAY_REPEAT_COST * candidate.may_repeat
        return scores[candidate] - cost

    def _fits(self, candidate: Candidate, per_source: int, is_short: bool) -> bool:
        section, topic = candidate.section_id, candidate.topic
        if section is not None:
            most = self.section_limits.get(section, self.limit)
            if self.sections[section] >= most:
                return False
        share = (len(self.chosen) + 1) // TOPIC_SHARE if is_short else 0
        if self.topics[topic] >= max(PER_TOPIC, share):
            return False
        follow_ups = sum(c.is_follow_up for c in self.chosen)
        if candidate.is_follow_up and follow_ups >= MOST_FOLLOW_UPS:
            return False
        return self.sources[candidate.source] < per_source

    def _is_needed(self, candidate: Candidate, minimums: Mapping[int, int]) -> bool:
        section = candidate.section_id
        return section is not None and self.sections[section] < minimums.get(section, 0)


def _by_worth(chosen: Collection[Candidate], scores: Mapping[Candidate, float]) -> list[Candidate]:
    """Return the same stories, the best first, whatever rule each was taken by."""
    remaining = sorted(chosen, key=lambda c: (-scores[c], -c.published_at.timestamp(), c.id))
    ordered = _Edition(len(remaining), {})
    while remaining:
        pick = max(remaining, key=lambda c: ordered.worth(c, scores))
        remaining.remove(pick)
        ordered.take(pick)
    return ordered.chosen


def _picture(candidate: Candidate) -> int:
    """Return 2 if a lead prints its picture, 1 if it prints one of unknown size, else 0."""
    return candidate.has_image + (candidate.has_image and candidate.image_width > 0)


def _with_lead(chosen: list[Candidate], scores: Mapping[Candidate, float]) -> list[Candidate]:
    """Return the same stories, led by one with a picture if there is one near the top.

    A follow-up leads only an edition that has nothing else.
    """
    if not chosen:
        return chosen
    able = [c for c in chosen if not c.is_follow_up] or chosen
    best = scores[able[0]]
    lead = next((c for c in able if _picture(c) == 2 and scores[c] >= best - LEAD_WITHIN), None)
    lead = lead or next(
        (c for c in able if c.has_image and scores[c] >= best - LEAD_WITHIN_UNKNOWN), able[0]
    )
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
