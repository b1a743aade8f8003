"""Put new reports to the events that are known, without grouping everything again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from digest.ranking.article import Article
from digest.ranking.candidates import Floats, Indexes
from digest.ranking.events import LEAST, LEAST_WITH_VECTORS, average_link
from digest.ranking.likeness import Likeness

# So many new reports are compared with all others at once; it bounds the memory.
CHUNK = 64
# Of more new reports, whoever asks should group everything again: it takes no longer.
MOST_NEW = 500


def join(
    articles: Sequence[Article],
    held: Sequence[Hashable],
    *,
    vectors: Any = None,
) -> list[list[int]]:
    """Return the articles' indexes, those of one event together; each is in exactly one group.

    `held` has the event that each article is in, None for a new one. Events stay whole and apart.
    New ones are grouped among themselves as `group` does it; each of these groups then joins the
    event with which the mean score of its pairs is highest and high enough. `vectors` are of the
    titles, a row each, or None. The order of the articles changes nothing but the indexes.

    Raises ValueError if more than MOST_NEW are new.
    """
    new = np.flatnonzero([event is None for event in held])
    if len(new) > MOST_NEW:
        raise ValueError(f"{len(new)} new articles; group them all")
    groups: dict[Hashable, list[int]] = {}
    for index, event in enumerate(held):
        if event is not None:
            groups.setdefault(event, []).append(index)
    known = list(groups.values())
    if len(new):
        least = LEAST if vectors is None else LEAST_WITH_VECTORS
        _join(Likeness(articles, vectors), new, known, least)
    return sorted(known)


def _join(likeness: Likeness, new: Indexes, known: list[list[int]], least: float) -> None:
    """Add the new articles to the known groups, or as further groups."""
    labels = average_link(likeness.block(new), least) if len(new) > 1 else np.zeros(1, dtype=int)
    means = _means(likeness, new, known) if known else np.empty((len(new), 0))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        # A pair that may not meet has a score of -1, and its mean is minus infinity.
        score = means[members].mean(axis=0)
        indexes = new[members].tolist()
        if score.size and score.max() >= least:
            group = known[int(score.argmax())]
            group.extend(indexes)
            group.sort()
        else:
            known.append(indexes)


def _means(likeness: Likeness, new: Indexes, known: Sequence[Sequence[int]]) -> Floats:
    """Return the mean score of each new article with each known group."""
    members = np.concatenate([np.asarray(group) for group in known])
    of_group = np.repeat(np.arange(len(known)), [len(group) for group in known])
    sizes = np.bincount(of_group)
    sums = sparse.csr_matrix(
        (np.ones(len(members), dtype=np.float32), (members, of_group)),
        shape=(len(likeness), len(known)),
    )
    chunks = []
    for start in range(0, len(new), CHUNK):
        scores = likeness.against(new[start : start + CHUNK])
        never = (scores < 0).astype(np.float32) @ sums > 0
        chunks.append(np.where(never, -np.inf, (np.maximum(scores, 0) @ sums) / sizes))
    found: Floats = np.concatenate(chunks)
    return found
