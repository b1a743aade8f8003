"""Show the terms by which a draft chose a story, in plain words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from digest.models import RankingWeights
from digest.models.ranking_weights import WEIGHT_NAMES
from digest.ranking.terms import DECAY_HOURS, POSITION_DECAY

NOT_KNOWN = "not known"
_WORDS = {
    "freshness": "How fresh its latest report is",
    "click_prior": "How often readers open the like of it",
} | {
    field.name: str(field.verbose_name)
    for field in RankingWeights._meta.fields
    if field.name in WEIGHT_NAMES
}


def _yes(value: float) -> str:
    return "yes" if value else "no"


# What a value stands for: the sum takes logarithms and exponentials, an editor counts outlets and
# hours. Each is the reverse of its function in `digest.ranking.terms`.
_FACTS: dict[str, Callable[[float], str]] = {
    "freshness": lambda value: f"{math.log(1 / value) * DECAY_HOURS:.0f} h old",
    "sources": lambda value: f"{math.exp(value):.0f}",
    "velocity": lambda value: f"{math.expm1(value):.0f}",
    "feed_weight": lambda value: f"{2**value:.2g}",
    "position": lambda value: f"{1 + math.log(1 / value) * POSITION_DECAY:.0f}",
    "section_fit": _yes,
    "follow_up": _yes,
}


@dataclass(frozen=True)
class TermRow:
    """A line of the table; texts as they are printed. `fact` is empty where the value says it."""

    words: str
    fact: str
    value: str
    weight: str
    points: str


@dataclass(frozen=True)
class TermTable:
    """The lines, and the sum of their points."""

    rows: list[TermRow]
    total: str


def term_table(terms: Any) -> TermTable | None:
    """Return the table of what is stored with an item; None if nothing readable is.

    A term that this version does not know keeps the name that it was stored with.
    """
    if not isinstance(terms, list) or not all(isinstance(term, dict) for term in terms):
        return None
    rows = [_row(term) for term in terms]
    points = [term.get("contribution") for term in terms]
    return TermTable(rows, _points(sum(p for p in points if _is_number(p)))) if rows else None


def _row(term: dict[str, Any]) -> TermRow:
    name, value, weight = (term.get(key) for key in ("name", "value", "weight"))
    return TermRow(
        words=_WORDS.get(str(name), str(name)),
        fact=_fact(str(name), value),
        value=f"{value:.2f}" if _is_number(value) else NOT_KNOWN,
        weight=f"{weight:g}" if _is_number(weight) else NOT_KNOWN,
        points=_points(term.get("contribution")) if _is_number(value) else "0",
    )


def _fact(name: str, value: Any) -> str:
    try:
        return _FACTS[name](value) if _is_number(value) and name in _FACTS else ""
    except (ValueError, ArithmeticError):  # a value that no draft of this version stores
        return ""


def _points(points: Any) -> str:
    if not _is_number(points):
        return NOT_KNOWN
    return "0" if not round(points, 2) else f"{points:+.2f}".replace("-", "\N{MINUS SIGN}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
