"""A draft keeps why it proposed a story, as terms and in words."""

import math
from datetime import timedelta

import pytest

from digest.editions.draft import features
from digest.editions.draft.draft import draft_edition
from digest.events.summary import Summary
from digest.models import Feed, RankingWeights, Story
from digest.models.ranking_weights import WEIGHT_NAMES
from digest.ranking.terms import MAX_FEED_WEIGHT, MIN_FEED_WEIGHT, Weights
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter():
    return factories.newsletter()


def event(newsletter, hours, **fields):
    """Stories of outlets of their own that report one event, so many hours ago."""
    stories = [
        factories.story(
            newsletter,
            source_name=f"Paper {n}",
            published_at=NOW - timedelta(hours=age),
            **fields,
        )
        for n, age in enumerate(hours)
    ]
    Story.objects.filter(pk__in=[s.pk for s in stories]).update(event=stories[0].pk)
    return stories


def draft(newsletter):
    edition = draft_edition(newsletter=newsletter, date=NOW.date(), now=NOW)
    return list(edition.items.select_related("story"))


def values(item):
    return {term["name"]: term["value"] for term in item.terms}


def test_each_term_is_stored_with_the_proposed_story(newsletter):
    section = factories.section(newsletter)
    feed = factories.feed(newsletter, weight=2.0)
    event(newsletter, [9, 2, 1], feed=feed, section=section, feed_position=0)
    Story.objects.update(boost=1)

    (item,) = draft(newsletter)

    assert values(item) == {
        "freshness": round(math.exp(-1 / 16), 3), "sources": round(math.log(3), 3),
        "velocity": round(math.log(3), 3), "feed_weight": 1, "position": 1, "section_fit": 1,
        "boost": 1, "staleness": 0, "follow_up": 0, "click_prior": None,
    }  # fmt: skip
    assert {term["weight"] for term in item.terms if term["name"] == "freshness"} == {1}


def test_what_is_unknown_of_a_story_is_stored_as_unknown(newsletter):
    factories.story(newsletter)

    (item,) = draft(newsletter)

    unknown = {name for name, value in values(item).items() if value is None}
    assert unknown == {"sources", "velocity", "position", "section_fit", "click_prior"}
    assert item.why.startswith("not compared with other reports yet; first seen ")


def test_the_reason_counts_sources_and_tells_the_age_and_the_place_in_the_section(newsletter):
    markets = factories.section(newsletter, name="Markets")
    event(newsletter, [3, 1, 2], section=markets)
    event(newsletter, [0.1], section=markets)
    event(newsletter, [40], section=markets)
    event(newsletter, [5])

    words = {item.why for item in draft(newsletter)}

    assert words == {
        "3 sources; first seen 3 h ago; Markets 1 of 3; not printed before",
        "1 source; first seen in the last hour; Markets 2 of 3; not printed before",
        "1 source; first seen 40 h ago; Markets 3 of 3; not printed before",
        "1 source; first seen 5 h ago; not printed before",
    }


def test_outlets_that_print_one_text_count_once_where_texts_were_compared(newsletter, monkeypatch):
    first, *_ = event(newsletter, [3, 1, 2])

    monkeypatch.setattr(
        features,
        "summaries_of",
        lambda stories, until: {first.pk: Summary(3, 3, NOW, own_reporting=2)},
    )

    (item,) = draft(newsletter)

    assert item.why.startswith("3 sources, 2 of their own reporting; ")
    assert values(item)["sources"] == round(math.log(2), 3)


def test_what_arrived_after_the_draft_counts_for_nothing_in_it(newsletter):
    event(newsletter, [9, 8, -2])

    (item,) = draft(newsletter)

    assert values(item)["sources"] == round(math.log(2), 3)
    assert values(item)["velocity"] == 0
    assert values(item)["freshness"] == round(math.exp(-8 / 16), 3)


def test_a_story_that_an_editor_ranks_higher_leads(newsletter):
    low, high = event(newsletter, [1]), event(newsletter, [9])
    Story.objects.filter(pk=high[0].pk).update(boost=Story.Boost.MUCH_HIGHER)

    assert [item.story for item in draft(newsletter)] == [*high, *low]


def test_a_newsletters_own_weights_count(newsletter):
    fresh, much_reported = event(newsletter, [1]), event(newsletter, [30, 30, 30, 30, 30])
    RankingWeights.objects.create(newsletter=newsletter, sources=2)

    items = draft(newsletter)

    assert items[0].story in much_reported
    assert items[1].story in fresh


def test_the_weights_of_a_new_row_are_those_of_a_newsletter_without_one():
    row = RankingWeights()

    assert features.as_weights(row) == Weights()
    assert {*WEIGHT_NAMES, "click_prior"} == set(Weights.__dataclass_fields__)


def test_a_feed_of_no_weight_that_can_be_set_is_beyond_the_ranking():
    low, high = (validator.limit_value for validator in Feed._meta.get_field("weight").validators)

    assert (low, high) == (MIN_FEED_WEIGHT, MAX_FEED_WEIGHT)
