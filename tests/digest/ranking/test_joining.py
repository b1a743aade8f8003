"""New reports come to the events that are known, which stay as they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.ranking import Article, group
from digest.ranking.joining import MOST_NEW, join
from tests.digest.ranking.test_events import ARTICLES, BANK, OTHERS, QUAKE, report

KNOWN = [*QUAKE, *BANK, *OTHERS]
HELD = ["quake", "quake", "quake", "bank", "bank", 5, 6, 7]


def test_a_new_report_joins_its_event_and_a_stranger_is_an_event_of_its_own():
    new = [
        report("Chile: earthquake kills eleven in the north", hours=5, source="Mail"),
        report("Ferry runs aground off Crete", hours=5, source="Mail"),
    ]
    groups, _ = join([*KNOWN, *new], [*HELD, None, None])

    assert groups == [[0, 1, 2, 8], [3, 4], [5], [6], [7], [9]]


def test_new_reports_of_one_event_find_each_other():
    new = [
        report("Ferry runs aground off Crete, 200 rescued", hours=5),
        report("200 rescued from a ferry that ran aground off Crete", hours=6),
    ]
    assert join([*KNOWN, *new], [*HELD, None, None])[0][-1] == [8, 9]


def test_what_is_held_together_stays_together_whatever_its_words_say():
    held = ["mixed", "mixed", "other", "other", "other", "mixed", 6, 7]

    assert join(KNOWN, held)[0] == [[0, 1, 5], [2, 3, 4], [6], [7]]


def test_a_report_joins_nothing_of_which_a_part_is_more_than_three_days_older():
    new = report("Eleven dead as earthquake shakes northern Chile", hours=73)

    assert join([*QUAKE, new], [1, 1, 1, None])[0] == [[0, 1, 2], [3]]


def test_without_known_events_it_groups_what_is_new():
    assert join(KNOWN, [None] * len(KNOWN))[0] == group(KNOWN)


def test_nothing_new_changes_nothing():
    assert join([], []) == ([], [])
    assert join(KNOWN, HELD)[0] == [[0, 1, 2], [3, 4], [5], [6], [7]]


def test_too_many_new_reports_are_refused():
    articles = [Article(f"Report {number}") for number in range(MOST_NEW + 1)]
    with pytest.raises(ValueError, match="new articles"):
        join(articles, [None] * len(articles))


@given(articles=ARTICLES, data=st.data(), with_vectors=st.booleans())
@settings(max_examples=30)
def test_each_report_is_in_one_group_and_the_known_ones_stay(articles, data, with_vectors):
    held = data.draw(
        st.lists(st.none() | st.integers(0, 3), min_size=len(articles), max_size=len(articles))
    )
    rows = np.random.default_rng(1).normal(size=(len(articles), 4)) if with_vectors else None

    groups, clusters = join(articles, held, vectors=rows)

    for level in (groups, clusters):
        assert sorted(index for group in level for index in group) == list(range(len(articles)))
    assert all(any(set(group) <= set(cluster) for cluster in clusters) for group in groups)
    found = {index: number for number, indexes in enumerate(groups) for index in indexes}
    known = [(event, found[index]) for index, event in enumerate(held) if event is not None]
    assert len(set(known)) == len({event for event, _ in known}) == len({at for _, at in known})


def test_the_order_decides_nothing_where_scores_are_equal():
    """Three outlets print one headline, and two events are as near to a fourth report."""
    same = [report("Earthquake in Chile", hours=2, source=name) for name in ("A", "B", "C")]
    groups, _ = join(same, [1, 2, None])
    turned, _ = join(same[::-1], [None, 2, 1])

    assert {frozenset(group) for group in groups} == {
        frozenset(2 - index for index in group) for group in turned
    }


def test_what_is_known_without_a_cluster_has_that_of_its_event():
    assert join(KNOWN, HELD, [*HELD[:5], None, 6, 7])[1] == [[0, 1, 2], [3, 4], [5], [6], [7]]
