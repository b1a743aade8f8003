"""Choose and order an edition's stories: fresh ones, from distinct sources, with a good lead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from digest.ranking.select import PER_SOURCE, Candidate, best_report, choose
from digest.ranking.terms import Facts, Features, Weights, is_stale, terms_of, total


def rank(
    candidates: Iterable[Candidate],
    *,
    now: datetime,
    limit: int,
    section_limits: Mapping[int, int],
    section_minimums: Mapping[int, int] | None = None,
    per_source: int = PER_SOURCE,
    weights: Weights | None = None,
) -> list[Candidate]:
    """Return at most `limit` candidates, the lead first; the same input gives the same order.

    An event is printed once, by its best report. It counts by its terms (`digest.ranking.terms`),
    which are returned with it. No section gets more than its limit, and each gets its minimum first
    if it has fresh stories for it. No source gets more than `per_source` stories, unless the
    edition would otherwise stay short or take stale stories: a newsletter with one feed is not
    limited to three stories. Neighbours have different sources wherever the choice allows it.
    """
    events = _scored_events(candidates, now=now, weights=weights or Weights())
    scores = {event: total(event.terms) for event in events}
    return choose(
        scores,
        limit=limit,
        section_limits=section_limits,
        section_minimums=section_minimums,
        per_source=per_source,
    )


def scores(
    candidates: Collection[Candidate], *, now: datetime, weights: Weights
) -> dict[int, float]:
    """Return by each candidate's id the score of its event."""
    of_event = {
        _event_of(event): total(event.terms)
        for event in _scored_events(candidates, now=now, weights=weights)
    }
    return {candidate.id: of_event[_event_of(candidate)] for candidate in candidates}


def score(candidate: Candidate, *, now: datetime, weights: Weights | None = None) -> float:
    """Return the score of an event with this one report."""
    (event,) = _scored_events([candidate], now=now, weights=weights or Weights())
    return total(event.terms)


def _scored_events(
    candidates: Iterable[Candidate], *, now: datetime, weights: Weights
) -> Iterator[Candidate]:
    """Yield the report of each event that would be printed, with the event's terms."""
    reports: defaultdict[tuple[str, int], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        reports[_event_of(candidate)].append(candidate)
    for members in reports.values():
        best = best_report(members)
        facts = _facts_of(members, best, now=now)
        terms = terms_of(facts, weights)
        yield replace(best, is_stale=is_stale(facts.age_hours or 0), terms=terms)


def _event_of(candidate: Candidate) -> tuple[str, int]:
    """Return what tells events apart; what is not grouped is one of its own."""
    return ("story", candidate.id) if candidate.event is None else ("event", candidate.event)


def _facts_of(members: Collection[Candidate], best: Candidate, *, now: datetime) -> Facts:
    """Return what counts of an event: of each term, what speaks most for it in its reports."""
    freshest = max(member.published_at for member in members)
    features = [member.features for member in members]
    return Facts(
        sources=max((m.sources for m in members if m.sources is not None), default=None),
        feed_weight=best.weight,
        age_hours=max((now - freshest).total_seconds(), 0) / 3600,
        features=Features(
            joined=max((f.joined for f in features if f.joined is not None), default=None),
            position=min((f.position for f in features if f.position is not None), default=None),
            section_fit=best.features.section_fit,
            # An editor may have marked any report of the event.
            boost=max((f.boost for f in features), key=lambda boost: (abs(boost), boost)),
            click_prior=max(
                (f.click_prior for f in features if f.click_prior is not None), default=None
            ),
        ),
        is_follow_up=any(member.is_follow_up for member in members),
    )
