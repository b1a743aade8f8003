"""What a process may name without loading numpy, and call in another process."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import digest.ranking
from digest.ranking.article import Article


@dataclass(frozen=True)
class FoundEvent:
    """One event: its texts, each as the indexes of the articles that print it.

    In `around` are the articles of its cluster: of events that may be one after all, or that have
    one subject.
    """

    texts: list[list[int]]
    around: list[int]


def events_of(
    articles: Sequence[Article],
    pins: Sequence[Hashable],
    packed: Sequence[bytes | None] | None = None,
) -> list[FoundEvent]:
    """Return the events of the articles.

    It groups as `digest.ranking.group` does, and within each event as `copies` does. Both load
    numpy in the process that calls this. `packed` has the vectors of the titles, as
    `digest.ranking.packed` makes them.
    """
    vectors = None if packed is None else digest.ranking.unpack(packed)
    return _events(articles, *digest.ranking.group_in_clusters(articles, vectors, pins))


def events_joined(
    articles: Sequence[Article],
    held: Sequence[Hashable],
    clusters: Sequence[Hashable],
    packed: Sequence[bytes | None] | None = None,
) -> list[FoundEvent]:
    """Return the events that new articles have joined or begun, as `digest.ranking.join` does."""
    vectors = None if packed is None else digest.ranking.unpack(packed)
    groups, around = digest.ranking.join(articles, held, clusters, vectors=vectors)
    changed = [group for group in groups if any(held[index] is None for index in group)]
    return _events(articles, changed, around)


def _events(
    articles: Sequence[Article], groups: Iterable[list[int]], clusters: Iterable[list[int]]
) -> list[FoundEvent]:
    cluster_of = {index: cluster for cluster in clusters for index in cluster}
    return [FoundEvent(_texts(articles, group), cluster_of[group[0]]) for group in groups]


def _texts(articles: Sequence[Article], group: list[int]) -> list[list[int]]:
    if len(group) == 1:
        return [group]
    found = digest.ranking.copies([articles[index] for index in group])
    return [[group[index] for index in text] for text in found]
