"""Reports of one event are grouped: by words, by vectors, in any order, within limits."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.agreement import bcubed
from bench.ranking import HEADLINES, read
from digest.ranking import Article, events, group

MORNING = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def report(title, *, hours=0.0, **fields):
    return Article(title, published=MORNING + timedelta(hours=hours), **fields)


QUAKE = [
    report("Strong earthquake hits northern Chile, eleven dead", source="Ledger"),
    report("Earthquake in Chile kills eleven, hundreds homeless", hours=2, source="Post"),
    report("Eleven dead as earthquake shakes northern Chile", hours=3, source="Courier"),
]
BANK = [
    report("Central bank of Norway leaves interest rate unchanged", hours=1, source="Ledger"),
    report("Norway's central bank keeps interest rate at 4 per cent", hours=2, source="Post"),
]
OTHERS = [
    report("Teachers' union in Manitoba votes for a strike", source="Ledger"),
    report("Museum in Ghent returns a stolen altar panel", source="Post"),
    report("Cyclist wins the mountain stage after a crash", source="Courier"),
]


def sets(groups):
    return {frozenset(indexes) for indexes in groups}


def test_reports_of_one_event_are_together_and_each_other_report_is_alone():
    groups = group([*QUAKE, *BANK, *OTHERS])

    assert groups == [[0, 1, 2], [3, 4], [5], [6], [7]]


def test_no_articles_make_no_groups():
    assert group([]) == []


def test_reports_more_than_three_days_apart_are_not_of_one_event():
    title = "Thousands march in Tbilisi against the new law on media"
    days = [report(title, hours=24 * day) for day in range(8)]

    groups = group(days)

    assert all(max(indexes) - min(indexes) <= 3 for indexes in groups)
    assert sum(map(len, groups)) == len(days)


def test_a_report_of_unknown_time_is_grouped_by_its_words():
    undated = Article("Earthquake in Chile: eleven dead, hundreds homeless")

    assert [0, 1, 2, 3] in group([*QUAKE, undated, *BANK])


def test_empty_titles_are_not_taken_for_one_event():
    assert group([report(""), report(""), report("  ")]) == [[0], [1], [2]]


def test_five_hundred_reports_in_the_same_words_are_one_event_although_no_word_is_rare():
    articles = [report("Storm closes the port of Bergen", source=str(n)) for n in range(500)]

    assert [len(indexes) for indexes in group([*articles, *OTHERS])] == [500, 1, 1, 1]


def test_a_component_too_large_falls_apart_and_loses_nobody(monkeypatch):
    monkeypatch.setattr(events, "LARGEST_COMPONENT", 4)
    articles = [report("Storm closes the port of Bergen", source=str(n)) for n in range(10)]

    groups = group(articles)

    assert sorted(index for indexes in groups for index in indexes) == list(range(10))
    assert max(map(len, groups)) == 4


WORDS = ["quake", "chile", "bank", "rate", "strike", "union", "storm", "port", "地震", "智利", "é"]
ARTICLES = st.lists(
    st.builds(
        Article,
        title=st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=20),
        summary=st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
        source=st.sampled_from(["Ledger", "Post", ""]),
        published=st.none() | st.integers(0, 200).map(lambda hour: MORNING + timedelta(hours=hour)),
        lang=st.sampled_from(["en", "zh", "pt-BR", ""]),
    ),
    max_size=40,
)


def meanings(titles):
    """Return vectors in which a word of WORDS is an axis, and two of them are one."""
    axes = {word: WORDS.index(word) for word in WORDS} | {"地震": 0, "智利": 1}
    vectors = np.full((len(titles), len(WORDS)), 0.01)
    for row, title in enumerate(titles):
        for word in title.split():
            if word in axes:
                vectors[row, axes[word]] += 1
    return vectors


@pytest.mark.fuzzing
@settings(max_examples=150, deadline=None)
@given(articles=ARTICLES, with_vectors=st.booleans(), data=st.data())
def test_each_article_is_in_one_group_and_the_order_of_arrival_changes_nothing(
    articles, with_vectors, data
):
    embed = meanings if with_vectors else None
    order = data.draw(st.permutations(range(len(articles))))

    groups = group(articles, embed=embed)
    again = group([articles[index] for index in order], embed=embed)

    assert sorted(index for indexes in groups for index in indexes) == list(range(len(articles)))
    assert groups == sorted(groups)
    shuffled = [[articles[order[index]] for index in indexes] for indexes in again]
    assert contents(shuffled) == contents([[articles[i] for i in indexes] for indexes in groups])


def contents(groups):
    return sorted(sorted(map(repr, members)) for members in groups)


def test_vectors_find_the_report_in_another_language():
    chinese = [Article("智利 地震", published=MORNING, lang="zh")]
    english = [Article("quake chile", published=MORNING, lang="en")]

    assert group(chinese + english) == [[0], [1]]
    assert group(chinese + english, embed=meanings) == [[0, 1]]


@pytest.mark.parametrize("vectors", [np.ones((2, 3)), np.ones(3), np.full((3, 2), np.nan)])
def test_an_embedding_without_a_row_of_numbers_for_each_title_is_refused(vectors):
    with pytest.raises(ValueError, match="vector"):
        group(QUAKE, embed=lambda titles: vectors)


def test_the_labelled_headlines_are_grouped_as_well_as_promised():
    articles, wanted = read(HEADLINES)
    english = [index for index, article in enumerate(articles) if article.lang == "en"]

    def f1(indexes):
        labels = np.empty(len(indexes), dtype=int)
        for label, members in enumerate(group([articles[index] for index in indexes])):
            labels[members] = label
        return bcubed(labels.tolist(), [wanted[index] for index in indexes])[2]

    assert f1(english) >= 0.8
    assert f1(range(len(articles))) >= 0.55


def test_each_labelled_event_lies_within_three_days_and_no_title_is_there_twice():
    lines = [json.loads(line) for line in HEADLINES.read_text("utf-8").splitlines()]
    times = {}
    for line in lines:
        times.setdefault(line["event"], []).append(datetime.fromisoformat(line["published"]))

    assert len({line["title"] for line in lines}) == len(lines)
    assert max(max(each) - min(each) for each in times.values()) < timedelta(hours=72)


def test_pins_put_together_what_has_no_word_in_common_and_keep_apart_what_has_all():
    articles = [*QUAKE, *OTHERS]

    groups = group(articles, pins=["ours", None, "theirs", None, None, "ours"])

    assert sets(groups) == {frozenset({0, 5}), frozenset({1, 2}), frozenset({3}), frozenset({4})}


def test_a_pin_holds_over_more_than_three_days():
    days = [report("Storm closes the port of Bergen", hours=hours) for hours in (0, 200)]

    assert group(days) == [[0], [1]]
    assert group(days, pins=[1, 1]) == [[0, 1]]
