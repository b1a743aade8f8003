"""How well a grouping agrees with the one that people made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence


def bcubed(found: Sequence[Hashable], wanted: Sequence[Hashable]) -> tuple[float, float, float]:
    """Return BCubed precision, recall and F1 of the labels found, against those wanted.

    For each item: how many of those that it was put with belong with it, and how many of those
    that belong with it were put with it; then the means over all items, and their harmonic mean
    (Bagga and Baldwin, 1998).
    """
    ours, theirs = _members(found), _members(wanted)
    shares = [
        (len(ours[a] & theirs[b]), len(ours[a]), len(theirs[b]))
        for a, b in zip(found, wanted, strict=True)
    ]
    precision = sum(both / size for both, size, _ in shares) / len(shares)
    recall = sum(both / size for both, _, size in shares) / len(shares)
    return precision, recall, 2 * precision * recall / (precision + recall)


def _members(labels: Sequence[Hashable]) -> dict[Hashable, set[int]]:
    members: defaultdict[Hashable, set[int]] = defaultdict(set)
    for index, label in enumerate(labels):
        members[label].add(index)
    return members
