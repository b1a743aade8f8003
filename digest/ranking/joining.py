"""Put new reports to the events that are known, without grouping everything again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from digest.ranking.article import Article
from digest.ranking.candidates import Floats, Indexes
from digest.ranking.events import (
    LEAST,
    LEAST_WITH_VECTORS,
    LOOSE,
    LOOSE_WITH_VECTORS,
    average_link,
    cut,
    in_order,
    rows_of,
)
from digest.ranking.likeness import Likeness

# So many new reports are compared with all others at once; it bounds the memory.
CHUNK = 64
# Of more new reports, whoever asks should group everything again: it takes no longer.
MOST_NEW = 500


def join(
    articles: Sequence[Article],
    held: Sequence[Hashable],
    clusters: Sequence[Hashable] | None = None,
    *,
    vectors: Any = None,
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the articles' indexes by event, and by cluster; each is in exactly one of either.

    `held` has the event that each article is in, None for a new one, and `clusters` its cluster.
    Events stay whole and apart. New ones are grouped among themselves as `group` does it; each of
    these groups then joins the event with which the mean score of its pairs is highest and high
    enough. `vectors` are of the titles, a row or None each, or None. The order of the articles
    changes nothing but the indexes.

    Raises ValueError if more than MOST_NEW are new.
    """
    count = sum(event is None for event in held)
    if count > MOST_NEW:
        raise ValueError(f"{count} new articles; group them all")
    # Of equal scores the first counts, so the articles' own content says which is first.
    order = in_order(articles)
    events = [held[index] for index in order]
    around = events if clusters is None else [clusters[index] for index in order]
    # What is known has a cluster, if only that of its event.
    around = [
        event if number is None else number for event, number in zip(events, around, strict=True)
    ]
    if not count:
        return _listed(_by(events), order), _listed(_by(around), order)
    rows = rows_of(vectors, len(articles))
    likeness = Likeness(
        [articles[index] for index in order],
        None if rows is None else rows[order],
        without_vectors=LEAST_WITH_VECTORS / LEAST,
    )
    found = _joined_both(likeness, events, around, has_vectors=rows is not None)
    return _listed(found[0], order), _listed(found[1], order)


def _listed(groups: Sequence[Sequence[int]], order: Sequence[int]) -> list[list[int]]:
    """Return the groups with the indexes that the articles had before they were put in order."""
    return sorted(sorted(order[index] for index in group) for group in groups)


def _joined_both(
    likeness: Likeness,
    held: Sequence[Hashable],
    around: Sequence[Hashable],
    *,
    has_vectors: bool,
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the events and the clusters as `join` does."""
    new = np.flatnonzero([event is None for event in held])
    least = (LEAST_WITH_VECTORS, LOOSE_WITH_VECTORS) if has_vectors else (LEAST, LOOSE)
    events = _joined(likeness, new, _by(held), least[0])
    # What joined an event is in that event's cluster. Only the others look for one.
    known = _by(around)
    cluster_of = {index: number for number, group in enumerate(known) for index in group}
    alone = []
    for event in events:
        number = next((cluster_of[index] for index in event if index in cluster_of), None)
        fresh = [index for index in event if index not in cluster_of]
        if number is None:
            alone.extend(fresh)
        else:
            known[number] = sorted({*known[number], *fresh})
    return events, _joined(likeness, np.array(sorted(alone), dtype=np.intp), known, least[1])


def _by(held: Sequence[Hashable]) -> list[list[int]]:
    groups: dict[Hashable, list[int]] = {}
    for index, number in enumerate(held):
        if number is not None:
            groups.setdefault(number, []).append(index)
    return list(groups.values())


def _joined(
    likeness: Likeness, new: Indexes, known: list[list[int]], least: float
) -> list[list[int]]:
    """Return the known groups with the new articles in them, or in further groups."""
    if not len(new):
        return sorted(known)
    found = [list(group) for group in known]
    labels = cut(average_link(likeness.block(new)), least) if len(new) > 1 else np.zeros(1)
    means = _means(likeness, new, known) if known else np.empty((len(new), 0))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        # A pair that may not meet has a score of -1, and its mean is minus infinity.
        score = means[members].mean(axis=0)
        indexes = new[members].tolist()
        if score.size and score.max() >= least:
            group = found[int(score.argmax())]
            group.extend(indexes)
            group.sort()
        else:
            found.append(indexes)
    return sorted(found)


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
