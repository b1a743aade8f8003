"""A score is a sum of terms, each with its reason."""

import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.ranking.rank import rank
from digest.ranking.select import Candidate
from digest.ranking.terms import TERMS, Facts, Features, Term, Weights, terms_of, total

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
PLAIN = Facts(sources=1, feed_weight=1, age_hours=0)


def term(name, facts, weights=None):
    (found,) = (t for t in terms_of(facts, weights or Weights()) if t.name == name)
    return found


def facts(*, sources=1, feed_weight=1.0, age_hours=0.0, is_follow_up=False, **features):
    return Facts(sources, feed_weight, age_hours, Features(**features), is_follow_up)


@pytest.mark.parametrize(
    ("name", "known", "value"),
    [
        ("freshness", {"age_hours": 0}, 1),
        ("freshness", {"age_hours": 16}, math.exp(-1)),
        ("freshness", {"age_hours": -5}, 1),
        ("sources", {"sources": 1}, 0),
        ("sources", {"sources": 20}, math.log(20)),
        ("velocity", {"joined": 0}, 0),
        ("velocity", {"joined": 3}, math.log(4)),
        ("feed_weight", {"feed_weight": 1}, 0),
        ("feed_weight", {"feed_weight": 2}, 1),
        ("feed_weight", {"feed_weight": 0.5}, -1),
        ("position", {"position": 0}, 1),
        ("position", {"position": 10}, math.exp(-1)),
        ("section_fit", {"section_fit": 1.0}, 1),
        ("boost", {"boost": -2}, -2),
        ("boost", {"boost": 9}, 2),
        ("staleness", {"age_hours": 24}, 0),
        ("staleness", {"age_hours": 48}, -0.5),
        ("staleness", {"age_hours": 500}, -1),
        ("follow_up", {"is_follow_up": True}, -1),
        ("click_prior", {"click_prior": 0.2}, 0.2),
    ],
)
def test_a_term_has_a_value_and_counts_it_by_its_weight(name, known, value):
    found = term(name, facts(**known))

    assert found.value == pytest.approx(value)
    assert found.points == pytest.approx(value * getattr(Weights(), name))


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("sources", {"sources": None}),
        ("feed_weight", {"feed_weight": None}),
        ("freshness", {"age_hours": None}),
        ("staleness", {"age_hours": None}),
        ("velocity", {"joined": None}),
        ("position", {"position": None}),
        ("section_fit", {"section_fit": None}),
        ("click_prior", {"click_prior": math.nan}),
    ],
)
def test_what_nobody_knows_counts_nothing_and_says_so(name, unknown):
    found = term(name, facts(**unknown))

    assert (found.value, found.points) == (None, 0)
    assert found.as_json()["value"] is None


def test_nobody_counts_clicks_yet():
    assert term("click_prior", PLAIN).value is None


def test_each_weight_has_a_term_and_freshness_is_the_yardstick_of_all():
    names = [name for name, _ in TERMS]

    assert sorted(names) == sorted(["freshness", *(field.name for field in fields(Weights))])
    assert term("freshness", PLAIN, Weights(sources=5)).weight == 1


known = st.builds(
    facts,
    sources=st.none() | st.integers(0, 10**6),
    feed_weight=st.none() | st.floats(allow_nan=True),
    age_hours=st.none() | st.floats(0, 10**6),
    joined=st.none() | st.integers(-1, 10**6),
    position=st.none() | st.integers(-1, 10**6),
    section_fit=st.none() | st.floats(allow_nan=True),
    boost=st.integers(-(10**6), 10**6),
    click_prior=st.none() | st.floats(0, 1),
    is_follow_up=st.booleans(),
)


@given(known)
def test_a_score_is_the_sum_of_its_terms_and_a_number_whatever_is_known(facts):
    terms = terms_of(facts, Weights())

    assert math.isfinite(total(terms))
    assert total(terms) == pytest.approx(sum(t.points for t in terms))
    assert all(abs(t.points) <= 10 for t in terms)


def test_a_story_of_the_last_day_from_an_ordinary_feed_scores_above_zero():
    assert all(total(terms_of(facts(age_hours=hours), Weights())) > 0 for hours in range(25))


# --- The terms of an event ------------------------------------------------------------------------


def report(id, *, hours=1.0, **fields):
    at = NOW - timedelta(hours=hours)
    return Candidate(
        **{"id": id, "source": f"S{id}", "section_id": None, "published_at": at, "event": 1}
        | fields
    )


def ranked(*reports, **options):
    return rank(reports, now=NOW, limit=10, section_limits={}, **options)


def values(candidate):
    return {term.name: term.value for term in candidate.terms}


def test_an_event_has_of_each_term_what_speaks_most_for_it_in_its_reports():
    (event,) = ranked(
        report(1, weight=2.0, hours=20, features=Features(position=7, joined=1)),
        report(2, hours=0, sources=4, features=Features(position=0, boost=1)),
        report(3, hours=9, sources=None, features=Features(boost=0)),
    )

    assert event.id == 1
    assert values(event) | {"sources": 4} == {
        "freshness": 1, "sources": 4, "velocity": math.log(2), "feed_weight": 1, "position": 1,
        "section_fit": None, "boost": 1, "staleness": 0, "follow_up": 0, "click_prior": None,
    }  # fmt: skip
    assert values(event)["sources"] == math.log(4)


def test_an_editors_stronger_word_on_any_report_of_an_event_counts():
    (event,) = ranked(report(1, features=Features(boost=1)), report(2, features=Features(boost=-2)))

    assert values(event)["boost"] == -2


@pytest.mark.parametrize(("hours", "stale"), [(47, False), (49, True)])
def test_an_event_without_news_for_two_days_is_stale(hours, stale):
    old = report(1, hours=400)

    assert [event.is_stale for event in ranked(old, report(2, hours=hours))] == [stale]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"features": Features(boost=1)}, {}),
        ({}, {"features": Features(boost=-1)}),
        ({}, {"is_follow_up": True}),
        ({"features": Features(joined=3)}, {"features": Features(joined=0)}),
        ({"features": Features(position=0)}, {"features": Features(position=30)}),
        ({"features": Features(section_fit=1.0)}, {"features": Features(section_fit=0.0)}),
        ({"sources": 2}, {"sources": 1}),
        ({"weight": 1.2}, {"weight": 1.0}),
    ],
)
def test_of_two_equals_one_term_decides(better, worse):
    one, two = report(1, event=1, **worse), report(2, event=2, **better)

    assert [event.id for event in ranked(one, two)] == [2, 1]


def test_other_weights_make_another_order():
    many, fresh = report(1, event=1, hours=30, sources=9), report(2, event=2, hours=1)

    assert [event.id for event in ranked(many, fresh)] == [2, 1]
    assert [event.id for event in ranked(many, fresh, weights=Weights(sources=1))] == [1, 2]


def test_a_term_is_stored_with_its_name_value_weight_and_points():
    assert Term("sources", math.log(7), 0.3).as_json() == {
        "name": "sources", "value": 1.946, "weight": 0.3, "contribution": 0.584,
    }  # fmt: skip
