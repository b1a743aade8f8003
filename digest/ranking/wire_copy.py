"""Find wire copy: one text that several outlets print under headlines of their own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import sparse

from digest.ranking.article import Article

# Texts are compared by their sequences of four words. If the shorter of two has this share of its
# sequences in the other, both are one text: whole articles of one agency share nearly all, teasers
# of sixty words three quarters, and two journalists' own reports of one event almost none.
WORDS = 4
LEAST_SHARE = 0.4
# What an outlet shares with itself is mostly a standing note under its articles.
LEAST_SHARE_OF_ITSELF = 0.8
# Fewer sequences than these (a headline, "More to follow") are no text that anybody copied.
LEAST_SEQUENCES = 6
# A sequence that more articles have is a phrase of the trade ("according to a statement by the"),
# or stands under every article of an outlet.
COMMON_SEQUENCE = 60

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")


def copies(articles: Sequence[Article]) -> list[list[int]]:
    """Return the articles' indexes, copies of one text together; each is in exactly one group.

    Summaries are compared, since outlets write headlines of their own. Groups are in the order of
    their first article. A text that nobody else has, or that is too short, is a group of one.
    """
    holders: defaultdict[int, list[int]] = defaultdict(list)
    sizes, pairs = [], []
    # A text that a hundred outlets print word for word would make each of its sequences common.
    first_with: dict[frozenset[int], int] = {}
    for index, article in enumerate(articles):
        sequences = frozenset(_sequences(article.summary))
        sizes.append(len(sequences))
        if len(sequences) < LEAST_SEQUENCES:
            continue
        first = first_with.setdefault(sequences, index)
        if first != index:
            pairs.append((first, index))
            continue
        for sequence in sequences:
            holders[sequence].append(index)
    sources = [article.source or index for index, article in enumerate(articles)]
    return _connected(len(articles), [*pairs, *_same_texts(holders, sizes, sources)])


def _sequences(text: str) -> Iterator[int]:
    words = _WORD.findall(text.casefold())
    return (hash(tuple(words[at : at + WORDS])) for at in range(len(words) - WORDS + 1))


def _same_texts(
    holders: dict[int, list[int]], sizes: Sequence[int], sources: Sequence[object]
) -> Iterator[tuple[int, int]]:
    shared: defaultdict[tuple[int, int], int] = defaultdict(int)
    for indexes in holders.values():
        if len(indexes) <= COMMON_SEQUENCE:
            for at, left in enumerate(indexes):
                for right in indexes[at + 1 :]:
                    shared[left, right] += 1
    for (left, right), count in shared.items():
        itself = sources[left] == sources[right]
        least = LEAST_SHARE_OF_ITSELF if itself else LEAST_SHARE
        if count >= least * min(sizes[left], sizes[right]):
            yield left, right


def _connected(count: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    ends = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    graph = sparse.coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    _, labels = sparse.csgraph.connected_components(graph, directed=False)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels.tolist()):
        groups[label].append(index)
    return list(groups.values())
