"""Score a news event as a sum of terms, each with its value, its weight and its points.

Points are counted in one unit: 1 is what a report of this minute is ahead of an infinitely old one.
So the weight of freshness is 1, and the weights of the others say what they are worth beside it. A
term whose value nobody knows has no points, which is not the same as a value of 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

# Freshness decays with exp(-age / 16 h). That keeps the order of a day's stories, and still lets a
# morning story from a feed of high weight rank above a fresh one from a feed of low weight. The
# gravity of Hacker News or Reddit is made for a front page that turns over within hours.
DECAY_HOURS = 16
# An event without news for a day begins to count as stale; after two more days it is wholly stale.
STALE_FROM_HOURS, STALE_BY_HOURS = 24, 72
# A report joins in the last hours if it is not older than this.
VELOCITY_HOURS = 3
# The eleventh place of a feed counts exp(-1) of its first.
POSITION_DECAY = 10
MIN_BOOST, MAX_BOOST = -2, 2
MIN_FEED_WEIGHT, MAX_FEED_WEIGHT = 0.1, 10


@dataclass(frozen=True)
class Weights:
    """How much each term counts; none is below 0. The penalties have values of 0 or less."""

    sources: float = 0.3
    feed_weight: float = 0.4
    velocity: float = 0.15
    position: float = 0.1
    section_fit: float = 0.1
    boost: float = 0.5
    staleness: float = 0.5
    follow_up: float = 0.5
    click_prior: float = 0.5

    @property
    def freshness(self) -> float:
        """Return 1: freshness is the yardstick of the others."""
        return 1.0


@dataclass(frozen=True)
class Features:
    """What is known of a story beside what a `Candidate` says itself; None: nobody knows.

    `joined` is how many outlets began to report its event in the last VELOCITY_HOURS, without the
    first one. `position` is its place in its feed, from 0. `section_fit` goes from 0 to 1. `boost`
    is an editor's word, from -2 to 2. `click_prior`, from 0 to 1, is how often readers open what
    is like it: nobody counts clicks yet.
    """

    joined: int | None = None
    position: int | None = None
    section_fit: float | None = None
    boost: int = 0
    click_prior: float | None = None


@dataclass(frozen=True)
class Facts:
    """What the terms of one event are computed from; None: nobody knows."""

    sources: int | None
    feed_weight: float | None
    age_hours: float | None
    features: Features = Features()
    is_follow_up: bool = False


@dataclass(frozen=True)
class Term:
    """One part of a score; `value` is None if nobody knows it, and then it has no points."""

    name: str
    value: float | None
    weight: float

    @property
    def points(self) -> float:
        return 0.0 if self.value is None else self.value * self.weight

    def as_json(self) -> dict[str, Any]:
        """Return it as an edition stores it, rounded to what a person reads."""
        value = None if self.value is None else round(self.value, 3)
        return {
            "name": self.name,
            "value": value,
            "weight": self.weight,
            "contribution": round(self.points, 3),
        }


def terms_of(facts: Facts, weights: Weights) -> tuple[Term, ...]:
    """Return the terms of an event, in the order of `TERMS`."""
    given = asdict(weights) | {"freshness": weights.freshness}
    return tuple(Term(name, _finite(compute(facts)), given[name]) for name, compute in TERMS)


def total(terms: Iterable[Term]) -> float:
    """Return the score: the sum of the points."""
    return math.fsum(term.points for term in terms)


def is_stale(age_hours: float) -> bool:
    """Whether an event had no news for two days, so that it is not new any more."""
    return age_hours > 48


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _sources(facts: Facts) -> float | None:
    """Return ln(number of independent sources): 0 for one, 1.6 for five, 3 for twenty.

    A logarithm, because the step from one source to two says more than that from nine to ten.
    """
    return None if facts.sources is None else math.log(max(facts.sources, 1))


def _feed_weight(facts: Facts) -> float | None:
    """Return how often an editor doubled the weight of the source: log2, from -3.3 to 3.3."""
    if facts.feed_weight is None:
        return None
    return math.log2(min(max(facts.feed_weight, MIN_FEED_WEIGHT), MAX_FEED_WEIGHT))


def _freshness(facts: Facts) -> float | None:
    """Return exp(-age / 16 h) of the freshest report, from 0 to 1; the future counts as now."""
    return None if facts.age_hours is None else math.exp(-max(facts.age_hours, 0) / DECAY_HOURS)


def _velocity(facts: Facts) -> float | None:
    """Return ln(1 + outlets that joined in the last hours), 0 for a story of one outlet."""
    joined = facts.features.joined
    return None if joined is None else math.log1p(max(joined, 0))


def _position(facts: Facts) -> float | None:
    """Return exp(-place / 10), from 0 to 1: the publisher's own order, the first place 1."""
    place = facts.features.position
    return None if place is None else math.exp(-max(place, 0) / POSITION_DECAY)


def _section_fit(facts: Facts) -> float | None:
    """Return how well the story fits a section of the newsletter, from 0 to 1."""
    fit = facts.features.section_fit
    return None if fit is None else min(max(fit, 0.0), 1.0)


def _boost(facts: Facts) -> float | None:
    """Return the editor's boost, from -2 to 2; 0 if no editor said anything."""
    return float(min(max(facts.features.boost, MIN_BOOST), MAX_BOOST))


def _staleness(facts: Facts) -> float | None:
    """Return 0 for what had news within a day, down to -1 for what had none for three."""
    if facts.age_hours is None:
        return None
    beyond = (facts.age_hours - STALE_FROM_HOURS) / (STALE_BY_HOURS - STALE_FROM_HOURS)
    return -min(max(beyond, 0.0), 1.0)


def _follow_up(facts: Facts) -> float | None:
    """Return -1 for an event that the newsletter has printed, else 0."""
    return -1.0 if facts.is_follow_up else 0.0


def _click_prior(facts: Facts) -> float | None:
    """Return how often readers open the like of it, 0 to 1; unknown until clicks are counted."""
    return facts.features.click_prior


TERMS: tuple[tuple[str, Callable[[Facts], float | None]], ...] = (
    ("freshness", _freshness),
    ("sources", _sources),
    ("velocity", _velocity),
    ("feed_weight", _feed_weight),
    ("position", _position),
    ("section_fit", _section_fit),
    ("boost", _boost),
    ("staleness", _staleness),
    ("follow_up", _follow_up),
    ("click_prior", _click_prior),
)
