"""What a process may name without loading numpy, and call in another process."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import digest.ranking
from digest.ranking.article import Article

# The indexes of an event's articles, those of one text together.
Texts = list[list[int]]


def events_of(
    articles: Sequence[Article],
    pins: Sequence[Hashable],
    packed: Sequence[bytes | None] | None = None,
) -> list[Texts]:
    """Return the events, each as its texts, each as the indexes of the articles that print it.

    It groups as `digest.ranking.group` does, and within each event as `copies` does. Both load
    numpy in the process that calls this. `packed` has the vectors of the titles, as
    `digest.ranking.packed` makes them.
    """
    vectors = None if packed is None else digest.ranking.unpack(packed)
    return [
        [[event[index] for index in text] for text in _texts([articles[at] for at in event])]
        for event in digest.ranking.group(articles, pins=pins, vectors=vectors)
    ]


def _texts(articles: Sequence[Article]) -> Texts:
    return digest.ranking.copies(articles) if len(articles) > 1 else [[0]]
