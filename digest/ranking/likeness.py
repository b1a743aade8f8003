"""How alike two reports are, from 0 (strangers) to 1 (the same words at the same hour).

The score of a pair is a mean of two or three others, made less by the hours between the reports:

words    the cosine of their words, each weighed by how rare it is among the articles (tf-idf)
letters  the same with sequences of four letters, for inflected and compound words
meaning  the cosine of the titles' vectors, if there are any, counted from what strangers have

docs/choice.md has the figures by which the constants were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from digest.ranking.article import Article
from digest.ranking.candidates import Floats, Indexes, candidates

# Two reports further apart in time are never of one event.
MOST_HOURS = 72.0
# At that distance a pair's score is this share lower than in the same hour.
FADE = 0.5
# A title says more than a summary, so it counts twice. What follows a summary's first sentences
# is background, which reports of other events share.
TITLE_COUNTS = 2
TITLE_CHARACTERS, SUMMARY_CHARACTERS = 300, 240
# The logarithm of tf-idf says little among a few hundred articles, where most words are rare. With
# this power of it, two strangers are further apart that share "children" or "people".
RARITY = 1.5
PAIRS_AT_ONCE = 20_000
# The share of the vectors in a pair of one language, and in a pair of two: these share names and
# numbers, and few other words.
MEANING, MEANING_ACROSS = 0.5, 0.7
# Embeddings differ in how near they place strangers, so the median of the articles' own cosines
# counts as 0. Too few articles tell too little; then it is what multilingual-e5 has.
FEW_ARTICLES, USUAL_MEDIAN = 20, 0.79
PRIOR = 5
MOST_ALIKE = 0.999

# Chinese and Japanese are written without blanks, so each of their signs counts as a word.
_WORD = r"(?u)[\u3040-\u30ff\u3400-\u9fff]|\w\w+"
_WORDS = HashingVectorizer(
    n_features=2**18,
    alternate_sign=False,
    norm=None,
    strip_accents="unicode",
    token_pattern=_WORD,
    dtype=np.float32,
)
_LETTERS = HashingVectorizer(
    n_features=2**18,
    alternate_sign=False,
    norm=None,
    strip_accents="unicode",
    analyzer="char_wb",
    ngram_range=(4, 4),
    dtype=np.float32,
)


class Likeness:
    """The scores of all pairs of the articles.

    `vectors` are of their titles, one row each, of nan for a title that has none. A pair with such
    a title has the score of its words and letters, times `without_vectors`: so one threshold
    serves both kinds of pairs. `pins` has a number of 0 or more for each article that somebody put
    where it is, and -1 for all others.
    """

    def __init__(
        self,
        articles: Sequence[Article],
        vectors: Any = None,
        pins: Sequence[int] | None = None,
        *,
        without_vectors: float = 1.0,
    ) -> None:
        texts = [_text(article) for article in articles]
        self._words = _weighed(_WORDS.transform(texts))
        self._letters = _weighed(_LETTERS.transform(texts))
        self._hours = np.array([_hours(article) for article in articles], dtype=np.float64)
        self._langs = np.array([_lang(article) for article in articles])
        self._pins = np.array([-1] * len(articles) if pins is None else pins, dtype=np.intp)
        self._vectors, self._strangers, self._without_vectors = None, 0.0, without_vectors
        if vectors is not None:
            # A vector of zeros is near to no other, so it makes no candidates.
            self._known = np.isfinite(vectors).all(axis=1)
            self._vectors = np.zeros_like(vectors)
            self._vectors[self._known], self._strangers = _comparable(
                _unit(vectors[self._known]), self._langs[self._known]
            )

    def __len__(self) -> int:
        return len(self._pins)

    def block(self, rows: Indexes) -> Floats:
        """Return the scores among some articles, shape (k, k); -1 for two that may not meet."""
        words, letters = self._words[rows], self._letters[rows]
        lexical = (words @ words.T + letters @ letters.T).toarray() / 2
        left, right = np.meshgrid(rows, rows, indexing="ij")
        meaning = None
        if self._vectors is not None:
            meaning = self._vectors[rows] @ self._vectors[rows].T
        return self._score(left, right, lexical, meaning)

    def against(self, rows: Indexes) -> Floats:
        """Return the scores of some articles with all, shape (k, n); -1 for two that may not."""
        lexical = (self._words[rows] @ self._words.T + self._letters[rows] @ self._letters.T) / 2
        left, right = np.meshgrid(rows, np.arange(len(self)), indexing="ij")
        meaning = None if self._vectors is None else self._vectors[rows] @ self._vectors.T
        return self._score(left, right, lexical.toarray(), meaning)

    def pairs(self, least: float) -> tuple[Indexes, Indexes, Floats]:
        """Return either side of the pairs whose score is `least` or more, and the scores."""
        left, right = candidates(self._words, self._vectors, self._pins)
        kept = [(left[:0], right[:0], np.empty(0, dtype=np.float32))]
        for start in range(0, len(left), PAIRS_AT_ONCE):
            a, b = left[start : start + PAIRS_AT_ONCE], right[start : start + PAIRS_AT_ONCE]
            lexical = (_dots(self._words, a, b) + _dots(self._letters, a, b)) / 2
            meaning = None
            if self._vectors is not None:
                meaning = np.einsum("ij,ij->i", self._vectors[a], self._vectors[b])
            score = self._score(a, b, lexical, meaning)
            near = score >= least
            kept.append((a[near], b[near], score[near]))
        lefts, rights, scores = zip(*kept, strict=True)
        return np.concatenate(lefts), np.concatenate(rights), np.concatenate(scores)

    def _score(self, left: Indexes, right: Indexes, lexical: Floats, cosine: Any) -> Floats:
        score = lexical
        if cosine is not None:
            meaning = np.clip((cosine - self._strangers) / (1 - self._strangers), 0, 1)
            share = np.where(self._langs[left] == self._langs[right], MEANING, MEANING_ACROSS)
            score = np.where(
                self._known[left] & self._known[right],
                share * meaning + (1 - share) * lexical,
                np.minimum(lexical * self._without_vectors, 1),
            )
        # Where one of the times is unknown (nan), the pair counts as one of the same hour.
        hours = np.nan_to_num(np.abs(self._hours[left] - self._hours[right]))
        score = score * (1 - FADE * np.minimum(hours / MOST_HOURS, 1))
        score = np.where(hours > MOST_HOURS, -1, score)
        # Only what an editor put together is at no distance, so that nothing comes between them.
        score = np.minimum(score, MOST_ALIKE)
        pinned = (self._pins[left] >= 0) & (self._pins[right] >= 0)
        together = np.where(self._pins[left] == self._pins[right], 1, -1)
        return np.where(pinned, together, score).astype(np.float32)


def _text(article: Article) -> str:
    title, summary = article.title[:TITLE_CHARACTERS], article.summary[:SUMMARY_CHARACTERS]
    return " . ".join([title] * TITLE_COUNTS + [summary])


def _hours(article: Article) -> float:
    return article.published.timestamp() / 3600 if article.published else float("nan")


def _lang(article: Article) -> str:
    first, _, rest = article.lang.replace("_", "-").lower().partition("-")
    # "und-Cyrl" says that the script is known, and the language is not.
    return rest if first == "und" else first


def _weighed(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return rows of length 1; a word counts the more the rarer it is among the articles."""
    articles, holders = counts.shape[0], np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = (np.log((1 + articles) / (1 + holders)) + 1) ** RARITY
    weighed = counts.astype(np.float32)
    weighed.data = (np.log(weighed.data) + 1) * rarity[weighed.indices].astype(np.float32)
    rows: sparse.csr_matrix = normalize(weighed, copy=False)
    return rows


def _unit(vectors: Any) -> Floats:
    rows = np.asarray(vectors, dtype=np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = rows / np.where(length > 0, length, 1)
    return unit


def _comparable(vectors: Floats, langs: NDArray[np.str_]) -> tuple[Floats, float]:
    """Return the vectors without what all have in common, and the cosine that strangers then have.

    What the texts of one language have in common is mostly the language.
    """
    if len(vectors) < FEW_ARTICLES:
        return vectors, USUAL_MEDIAN
    common = vectors.mean(axis=0)
    vectors = vectors.copy()
    for lang in np.unique(langs):
        rows = langs == lang
        count = np.count_nonzero(rows)
        mean = vectors[rows].mean(axis=0)
        vectors[rows] -= (count * mean + PRIOR * common) / (count + PRIOR)
    return _unit(vectors), 0.0


def _dots(rows: sparse.csr_matrix, left: Indexes, right: Indexes) -> Floats:
    return np.asarray(rows[left].multiply(rows[right]).sum(axis=1), dtype=np.float32).ravel()
