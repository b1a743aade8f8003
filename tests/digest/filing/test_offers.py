"""An editor's correction is answered by offers of rules, none of them nonsense."""

import pytest

from digest.filing.offers import describe, is_offered, make_first, offers_for
from digest.models import SectionRule
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed():
    newsletter = factories.newsletter()
    section = factories.section(newsletter, name="World")
    return factories.feed(newsletter, title="BBC", section=section)


@pytest.fixture
def sport(feed):
    return factories.section(feed.newsletter, name="Sport")


def bring(feed, path, *categories, **fields):
    defaults = {"section": feed.section, "feed": feed, "added_at": NOW}
    return factories.story(
        feed.newsletter,
        url=f"https://bbc.example{path}",
        categories=list(categories),
        **defaults | fields,
    )


def same_as(rule):
    """Return the same rule as another editor's click makes it."""
    return SectionRule(
        newsletter=rule.newsletter, section=rule.section, feed=rule.feed, kind=rule.kind,
        value=rule.value,
    )  # fmt: skip


def conditions(story, section):
    return [
        (offer.rule.kind, offer.rule.value)
        for offer in offers_for(story=story, section=section, now=NOW)
    ]


def test_a_story_with_many_categories_costs_no_more_queries(
    feed, sport, django_assert_max_num_queries
):
    story = bring(feed, "/sport/a-final", *(f"Category {n}" for n in range(20)))
    bring(feed, "/world/a-vote")

    with django_assert_max_num_queries(5):
        offers_for(story=story, section=sport, now=NOW)


def test_a_folder_and_a_category_that_more_stories_have_are_offered(feed, sport):
    story = bring(feed, "/sport/tennis/a-final", "News", "Tennis")
    bring(feed, "/sport/tennis/a-draw", "News", "Tennis")
    bring(feed, "/sport/golf/an-open", "News", "Golf")
    for n in range(6):
        bring(feed, f"/world/{n}", "News")

    offers = offers_for(story=story, section=sport, now=NOW)

    assert [(o.rule.kind, o.rule.value, o.filed, o.differently) for o in offers] == [
        ("path", "/sport/tennis/", 2, 2), ("path", "/sport/", 3, 3), ("category", "Tennis", 2, 2),
    ]  # fmt: skip
    assert describe(offers[0].rule) == "Always file stories of BBC under /sport/tennis/ in Sport"
    assert not SectionRule.objects.exists()


@pytest.mark.parametrize(
    "path", ["/a-final", "/2026/03/a-final", "/news/a-final", "/c8x1/a-final", "/lone/a-final", ""]
)
def test_what_says_nothing_of_the_subject_is_not_offered(feed, sport, path):
    story = bring(feed, path)
    for n in range(9):
        bring(feed, f"{'' if path.startswith('/lone') else path}/{n}")

    assert conditions(story, sport) == []


def test_a_folder_that_an_editor_filed_elsewhere_is_not_offered(feed, sport):
    story = bring(feed, "/sport/a-final")
    bring(feed, "/sport/money", section_is_pinned=True)
    for n in range(6):
        bring(feed, f"/world/{n}")

    assert conditions(story, sport) == []


def test_all_of_a_feed_is_offered_after_the_third_correction(feed, sport):
    story = bring(feed, "/a")
    bring(feed, "/b", section=sport, section_is_pinned=True)
    assert conditions(story, sport) == []

    bring(feed, "/c", section=sport, section_is_pinned=True)
    assert conditions(story, sport) == [("feed", "")]


def test_a_rule_that_is_there_is_not_offered_again(feed, sport):
    story = bring(feed, "/sport/a-final")
    bring(feed, "/sport/a-draw")
    for n in range(6):
        bring(feed, f"/world/{n}")
    offered = {"story": story, "section": sport, "kind": "path", "value": "/sport/", "now": NOW}
    rule = is_offered(**offered)
    assert rule is not None
    other = SectionRule.objects.create(
        newsletter=feed.newsletter, section=feed.section, kind="words", value="draw"
    )

    assert make_first(rule)

    assert list(SectionRule.objects.all()) == [rule, other]
    assert not make_first(same_as(rule))
    assert conditions(story, sport) == []
    assert is_offered(**offered) is None


def test_without_a_feed_or_a_section_nothing_is_learnt(feed, sport):
    by_hand = factories.story(feed.newsletter, categories=["Tennis"])
    assert conditions(by_hand, sport) == []
    assert conditions(bring(feed, "/sport/b"), None) == []
    assert conditions(bring(feed, "/sport/c"), factories.section(factories.newsletter())) == []
