"""Find the pairs of articles that are worth comparing, so that not all need be."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.floating[Any]]
Indexes = NDArray[np.intp]

# A word that more articles have is no reason to compare two of them. Each article is compared with
# no more than so many others by its words, and as many by its vector: those nearest to it. So twice
# the articles make twice the pairs.
COMMON_WORD = 300
NEIGHBOURS = 40
# Vectors with a lower cosine are not alike. Only their first so many principal axes are compared.
ALIKE = 0.2
DIMENSIONS = 128
# See _successors.
RAREST_WORDS = 6
# So many articles are compared with all others at once; it bounds the memory.
CHUNK = 512


def candidates(
    words: sparse.csr_matrix, vectors: Floats | None, pins: Indexes
) -> tuple[Indexes, Indexes]:
    """Return the pairs that share rare words, a meaning or a pin: the indexes of either side.

    Each pair is there once. `words` has a row per article and a column per word; `vectors` are of
    length 1; a pin of -1 is none.
    """
    count = words.shape[0]
    seen = np.bincount(words.indices, minlength=words.shape[1])
    rare = words.copy()
    rare.data[(seen[rare.indices] < 2) | (seen[rare.indices] > COMMON_WORD)] = 0
    rare.eliminate_zeros()
    articles_of = rare.T.tocsr()
    reduced = None if vectors is None else _reduced(vectors)
    codes = [_successors(words, seen, count), _same_pins(pins, count)]
    for start in range(0, count, CHUNK):
        rows = np.arange(start, min(start + CHUNK, count))
        codes.append(_most_words(rare[rows] @ articles_of, rows, count))
        if reduced is not None:
            codes.append(_most_alike(reduced[rows] @ reduced.T, rows, count))
    unique = np.unique(np.concatenate(codes))
    left, right = unique // count, unique % count
    return left[left != right], right[left != right]


def _successors(words: sparse.csr_matrix, seen: Indexes, count: int) -> NDArray[np.int64]:
    """Pair each article with the next that has one of its rarest words, however common that is.

    Without this, five hundred reports in the same words would have no rare word in common.
    """
    rarest = [
        indices[np.argsort(seen[indices], kind="stable")[:RAREST_WORDS]]
        for indices in np.split(words.indices, words.indptr[1:-1])
    ]
    rows = np.repeat(np.arange(count), [len(indices) for indices in rarest])
    return _in_a_row(rows, np.concatenate(rarest), count)


def _same_pins(pins: Indexes, count: int) -> NDArray[np.int64]:
    pinned = np.flatnonzero(pins >= 0)
    return _in_a_row(pinned, pins[pinned], count)


def _in_a_row(rows: Indexes, keys: Indexes, count: int) -> NDArray[np.int64]:
    """Pair each row with the next one of the same key; rows ascend."""
    order = np.argsort(keys, kind="stable")
    rows, keys = rows[order], keys[order]
    same = keys[1:] == keys[:-1]
    return _codes(rows[:-1][same], rows[1:][same], count)


def _most_words(scores: sparse.csr_matrix, rows: Indexes, count: int) -> NDArray[np.int64]:
    """Return the best NEIGHBOURS of each row of a chunk, as codes of pairs."""
    found = []
    for row, start, end in zip(rows, scores.indptr, scores.indptr[1:], strict=False):
        others, values = scores.indices[start:end], scores.data[start:end]
        if len(others) > NEIGHBOURS:
            others = others[np.argpartition(values, -NEIGHBOURS)[-NEIGHBOURS:]]
        found.append(_codes(np.full(len(others), row), others, count))
    return np.concatenate(found)


def _most_alike(scores: Floats, rows: Indexes, count: int) -> NDArray[np.int64]:
    # Of a flat array, nonzero takes a third of the time.
    row, others = np.divmod(np.flatnonzero(scores.ravel() >= ALIKE), scores.shape[1])
    found = [_codes(rows[row], others, count)]
    crowded = np.bincount(row, minlength=len(rows)) > NEIGHBOURS
    if crowded.any():
        found[0] = found[0][~crowded[row]]
        best = np.argpartition(scores[crowded], -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:]
        found.append(_codes(np.repeat(rows[crowded], NEIGHBOURS), best.ravel(), count))
    return np.concatenate(found)


def _reduced(vectors: Floats) -> Floats:
    """Return the vectors in fewer dimensions, those in which they differ most."""
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    reduced: Floats = vectors @ axes[:, -DIMENSIONS:]
    return reduced


def _codes(left: Indexes, right: Indexes, count: int) -> NDArray[np.int64]:
    """Return each pair as one number, the same for (a, b) and (b, a)."""
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right).astype(np.int64)
    return low * count + high
