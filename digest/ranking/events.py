"""Group the reports of one event."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from digest.ranking.article import Article
from digest.ranking.candidates import Floats, Indexes
from digest.ranking.embedding import Embed
from digest.ranking.likeness import Likeness

# Two groups become one if the mean score of their pairs is as high as this: with words alone, and
# with vectors.
LEAST, LEAST_WITH_VECTORS = 0.10, 0.17
# Events are of one cluster if the same holds at this score: they may be one event after all, or
# have one subject.
LOOSE, LOOSE_WITH_VECTORS = 0.06, 0.1
# More articles than these are not compared all with all. A larger component (a war, a tournament)
# falls apart at ever higher scores until its parts are small enough.
LARGEST_COMPONENT = 600
STEP = 1.15
# What still hangs together here is one text many times over. It is cut by its order.
HIGHEST = 0.95
# Far enough that no mean with such a pair in it comes under a threshold.
NEVER = 1e6


def group(
    articles: Sequence[Article],
    *,
    embed: Embed | None = None,
    pins: Sequence[Hashable] | None = None,
    vectors: Any = None,
) -> list[list[int]]:
    """Return the articles' indexes, those of one event together; each is in exactly one group.

    Groups are in the order of their first article, and an article of its own is a group of one.
    The order of the articles changes nothing but the indexes. `embed` turns titles into vectors,
    so that reports in several languages, or in other words, find each other. Who has the vectors
    already gives `vectors` instead: a row for each article, or None for one that has none. A pair
    of which one has none is compared by its words alone. `pins` are what an editor decided:
    articles of one pin are always together, those of two pins never; None is no pin.

    Raises ValueError if `embed` returns anything but one row of finite numbers per title.
    """
    if vectors is None and embed is not None and articles:
        vectors = embed([article.title for article in articles])
    return group_by_vectors(articles, vectors, pins)


def group_by_vectors(
    articles: Sequence[Article], vectors: Any, pins: Sequence[Hashable] | None = None
) -> list[list[int]]:
    """Group as `group` does, with the titles' vectors (a row or None each) or None at hand."""
    least = [LEAST] if _has_none(vectors) else [LEAST_WITH_VECTORS]
    return _group(articles, vectors, pins, least)[0]


def group_in_clusters(
    articles: Sequence[Article], vectors: Any, pins: Sequence[Hashable] | None = None
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the groups of `group`, and the looser clusters, each of which has groups whole."""
    least = [LEAST, LOOSE] if _has_none(vectors) else [LEAST_WITH_VECTORS, LOOSE_WITH_VECTORS]
    groups, clusters = _group(articles, vectors, pins, least)
    return groups, clusters


def _group(
    articles: Sequence[Article],
    vectors: Any,
    pins: Sequence[Hashable] | None,
    levels: Sequence[float],
) -> list[list[list[int]]]:
    """Return the groups at each of the levels, the highest score first."""
    if not articles:
        return [[] for _ in levels]
    order = in_order(articles)
    rows = rows_of(vectors, len(articles))
    pinned = None if pins is None else _numbered([pins[index] for index in order])
    likeness = Likeness(
        [articles[index] for index in order],
        None if rows is None else rows[order],
        pinned,
        without_vectors=LEAST_WITH_VECTORS / LEAST,
    )
    return [_listed(order, labels) for labels in _labels(likeness, levels)]


def _has_none(vectors: Any) -> bool:
    return vectors is None or all(vector is None for vector in vectors)


def _listed(order: Sequence[int], labels: NDArray[np.intp]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for index, label in sorted(zip(order, labels.tolist(), strict=True)):
        groups.setdefault(label, []).append(index)
    return list(groups.values())


def _numbered(pins: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {None: -1}
    return [numbers.setdefault(pin, len(numbers) - 1) for pin in pins]


def rows_of(vectors: Any, count: int) -> Floats | None:
    """Return a row for each article, of nan where it has no vector; None if none has one."""
    if vectors is None or any(vector is None for vector in vectors):
        known = [at for at, vector in enumerate(vectors or ()) if vector is not None]
        if not known:
            return None
        found = _checked([vectors[at] for at in known], len(known))
        rows = np.full((count, found.shape[1]), np.nan, dtype=np.float32)
        rows[known] = found
        return rows
    return _checked(vectors, count)


def _checked(vectors: Any, count: int) -> Floats:
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2 or len(rows) != count:
        raise ValueError(f"{count} titles, and vectors of shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("a vector has a number in it that is not finite")
    return rows


def in_order(articles: Sequence[Article]) -> list[int]:
    """Return the articles' indexes, sorted by nothing but what the articles say."""
    return sorted(range(len(articles)), key=lambda index: _sort_key(articles[index]))


def _sort_key(article: Article) -> tuple[float, str, str, str, str, str]:
    """Return what an article is sorted by: only its own content, so arrival decides nothing."""
    time = article.published.timestamp() if article.published else 0.0
    return (time, article.url, article.title, article.source, article.summary, article.lang)


def _labels(likeness: Likeness, levels: Sequence[float]) -> list[NDArray[np.intp]]:
    rows = np.arange(len(likeness))
    found = [rows.copy() for _ in levels]
    for component in _components(likeness, min(levels), rows):
        tree = average_link(likeness.block(component))
        for labels, least in zip(found, levels, strict=True):
            labels[component] = component[cut(tree, least)]
    return found


def _components(likeness: Likeness, least: float, rows: Indexes) -> list[Indexes]:
    """Return the sets of articles that a chain of alike pairs connects, of two or more.

    Average linkage never joins across them: a mean of `least` has a pair of `least` in it.
    """
    left, right, scores = likeness.pairs(least)
    todo, done = [(rows, least)], []
    while todo:
        part, least = todo.pop()
        inside = np.isin(left, part) & np.isin(right, part) & (scores >= least)
        graph = sparse.coo_matrix(
            (scores[inside], (left[inside], right[inside])), shape=(len(rows),) * 2
        )
        _, label = sparse.csgraph.connected_components(graph, directed=False)
        by_label = part[np.argsort(label[part], kind="stable")]
        for piece in np.split(by_label, np.flatnonzero(np.diff(label[by_label])) + 1):
            if len(piece) <= LARGEST_COMPONENT:
                done.append(piece)
            elif least < HIGHEST:
                todo.append((piece, min(least * STEP, HIGHEST)))
            else:
                done.extend(
                    piece[at : at + LARGEST_COMPONENT]
                    for at in range(0, len(piece), LARGEST_COMPONENT)
                )
    return [piece for piece in done if len(piece) > 1]


def average_link(scores: Any) -> NDArray[np.float64]:
    """Return the tree in which average linkage joins some articles, from their scores."""
    distances = np.where(scores < 0, NEVER, 1 - np.minimum(scores, 1)).astype(np.float64)
    np.fill_diagonal(distances, 0)
    tree: NDArray[np.float64] = linkage(squareform(distances, checks=False), "average")
    return tree


def cut(tree: NDArray[np.float64], least: float) -> NDArray[np.intp]:
    """Return for each article of a tree the first that is in its group at this score."""
    _, first, label = np.unique(
        fcluster(tree, 1 - least, "distance"), return_index=True, return_inverse=True
    )
    found: NDArray[np.intp] = first[label]
    return found
