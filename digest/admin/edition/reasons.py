"""Show the terms by which a draft chose a story, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from digest.models import RankingWeights
from digest.models.ranking_weights import WEIGHT_NAMES

NOT_KNOWN = "not known"
_WORDS = {
    "freshness": "How fresh its latest report is",
    "click_prior": "How often readers open the like of it",
} | {
    field.name: str(field.verbose_name)
    for field in RankingWeights._meta.fields
    if field.name in WEIGHT_NAMES
}


@dataclass(frozen=True)
class TermRow:
    """A line of the table; texts as they are printed."""

    words: str
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
        value=f"{value:.2f}" if _is_number(value) else NOT_KNOWN,
        weight=f"{weight:g}" if _is_number(weight) else NOT_KNOWN,
        points=_points(term.get("contribution")) if _is_number(value) else "0",
    )


def _points(points: Any) -> str:
    if not _is_number(points):
        return NOT_KNOWN
    return "0" if not round(points, 2) else f"{points:+.2f}".replace("-", "\N{MINUS SIGN}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
