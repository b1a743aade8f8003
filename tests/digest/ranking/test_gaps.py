"""Where some titles have no vector yet, groups are still made, and of comparable scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.ranking import Article, group, pack, unpack
from digest.ranking.deferred import events_of
from digest.ranking.events import LEAST, LEAST_WITH_VECTORS
from digest.ranking.likeness import Likeness
from tests.digest.ranking.test_events import (
    ARTICLES,
    BANK,
    MORNING,
    OTHERS,
    QUAKE,
    contents,
    meanings,
)

CHINESE = Article("智利 地震", published=MORNING, lang="zh")


def vectors_of(articles):
    return list(meanings([article.title for article in articles]))


def test_vectors_at_hand_group_as_the_embedding_that_made_them_does():
    articles = [CHINESE, *QUAKE, *BANK, *OTHERS]

    assert group(articles, vectors=vectors_of(articles)) == group(articles, embed=meanings)


def test_without_one_vector_words_alone_decide():
    articles = [CHINESE, *QUAKE, *BANK, *OTHERS]

    assert group(articles, vectors=[None] * len(articles)) == group(articles)


def test_a_pair_without_vectors_meets_the_threshold_of_words_and_any_other_that_of_vectors():
    articles = [*QUAKE, *BANK]
    words = Likeness(articles).block(np.arange(len(articles)))
    rows = np.array(vectors_of(articles))
    rows[0] = np.nan

    mixed = Likeness(articles, rows, without_vectors=LEAST_WITH_VECTORS / LEAST)
    scores = mixed.block(np.arange(len(articles)))

    assert ((scores[0, 1:] >= LEAST_WITH_VECTORS) == (words[0, 1:] >= LEAST)).all()
    full = Likeness(articles, np.array(vectors_of(articles))).block(np.arange(len(articles)))
    assert scores[1:, 1:] == pytest.approx(full[1:, 1:], abs=1e-6)


def test_a_report_without_a_vector_joins_by_its_words_and_brings_no_stranger():
    titles = ("quake chile", "quake chile storm", "bank rate", "port union strike")
    articles = [Article(title, published=MORNING) for title in titles]

    assert group(articles, vectors=[None, *vectors_of(articles)[1:]]) == [[0, 1], [2], [3]]


@pytest.mark.fuzzing
@settings(max_examples=80)
@given(articles=ARTICLES, data=st.data())
def test_with_gaps_and_an_editors_word_the_order_of_arrival_changes_nothing(articles, data):
    count = len(articles)
    order = data.draw(st.permutations(range(count)))
    # Two articles that are alike in everything can have only one vector and one editor's word.
    gaps = data.draw(st.sets(st.sampled_from(sorted({a.title for a in articles})))) if count else ()
    words = {repr(a): data.draw(st.sampled_from([None, None, "one", "two"])) for a in articles}
    vectors = [
        None if article.title in gaps else vector
        for article, vector in zip(articles, vectors_of(articles), strict=True)
    ]
    pins = [words[repr(article)] for article in articles]

    groups = group(articles, vectors=vectors, pins=pins)
    again = group(
        [articles[index] for index in order],
        vectors=[vectors[index] for index in order],
        pins=[pins[index] for index in order],
    )

    assert sorted(index for indexes in groups for index in indexes) == list(range(count))
    shuffled = [[articles[order[index]] for index in indexes] for indexes in again]
    assert contents(shuffled) == contents([[articles[i] for i in indexes] for indexes in groups])
    for pin in ("one", "two"):
        placed = {at for at, each in enumerate(pins) if each == pin}
        others = {at for at, each in enumerate(pins) if each not in (None, pin)}
        mine = [set(indexes) for indexes in groups if placed & set(indexes)]
        assert len(mine) <= 1
        assert not mine or not mine[0] & others


@pytest.mark.fuzzing
@settings(max_examples=60)
@given(articles=ARTICLES)
def test_each_article_is_in_one_text_of_one_event(articles):
    found = events_of(articles, [None] * len(articles))

    flat = [index for event in found for text in event.texts for index in text]
    assert sorted(flat) == list(range(len(articles)))
    assert [sorted(i for text in e.texts for i in text) for e in found] == group(articles)


@given(
    st.integers(1, 8).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(-(10**9), 10**9), min_size=width, max_size=width).filter(any),
            max_size=5,
        )
    )
)
def test_packed_vectors_point_where_they_pointed(rows):
    if not rows:
        return
    unit = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    packed = [*pack(rows, len(rows)), None]

    *vectors, missing = unpack(packed)

    assert missing is None
    assert {len(each) for each in packed[:-1]} == {2 * len(rows[0])}
    np.testing.assert_allclose(np.array(vectors, dtype=float), unit, atol=0.001)


@pytest.mark.parametrize(
    "vectors",
    [np.ones((1, 3)), np.ones(2), np.ones((2, 0)), [[1, 0], [0, 0]], [[1, 0], [1, np.inf]]],
)
def test_what_is_no_vector_is_not_packed(vectors):
    with pytest.raises(ValueError, match="vector"):
        pack(vectors, 2)
