"""Stories are filed by rules when they arrive and, when asked, later; by hand is by hand."""

from datetime import timedelta

import pytest

from digest.feeds.drafts import source_hash
from digest.feeds.manual import by_hand, pushed
from digest.feeds.parse import parse
from digest.feeds.store import store_entries
from digest.filing.apply import apply_rules, file_again, find_moves, movable, rules_of
from digest.filing.trial import try_rule
from digest.models import SectionRule, Story
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

RSS = """<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Wire</title>
<item><title>{title}</title><link>https://news.example.com/business/fed</link>
<guid>https://news.example.com/business/fed</guid>{categories}</item></channel></rss>"""


@pytest.fixture
def newsletter():
    return factories.newsletter()


@pytest.fixture
def sections(newsletter):
    return [factories.section(newsletter, name=name) for name in ("World", "Markets")]


@pytest.fixture
def feed(newsletter, sections):
    return factories.feed(newsletter, section=sections[0])


def rule(section, **fields):
    return SectionRule.objects.create(newsletter=section.newsletter, section=section, **fields)


def bring(feed, *, title="Fed raises rates", categories="<category>Markets</category>"):
    body = RSS.format(title=title, categories=categories).encode()
    entries = parse(body, base_url=feed.url).entries
    store_entries(feed=feed, entries=entries, now=NOW)
    return Story.objects.get()


def test_categories_of_every_kind_are_stored_clean_and_bounded(feed):
    story = bring(
        feed,
        categories="<category>Politics &amp;amp; Power</category><category>politics &amp; power"
        "</category><dc:subject>Banks</dc:subject><media:keywords>rates, loans</media:keywords>"
        "<category>https://schema.example/x</category>"
        f"<category>{'A sentence about it. ' * 9}</category>",
    )

    assert story.categories == ["Politics & Power", "Banks", "rates", "loans"]
    many = "".join(f"<category>c{n}</category>" for n in range(500))
    assert len(bring(feed, categories=many).categories) == 20


def test_an_atom_label_and_json_tags_are_categories(feed):
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>W</title><entry><title>A</title>
    <link href="https://n.example/a"/><category term="mkt" label="Markets"/><category term="fed"/>
    </entry></feed>"""
    json = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "W", "items":
    [{"id": "1", "url": "https://n.example/a", "title": "A", "tags": ["R&D", 3, "Markets"]}]}"""

    assert parse(atom, base_url=feed.url).entries[0].categories == ["Markets", "fed"]
    store_entries(feed=feed, entries=parse(json, base_url=feed.url).entries, now=NOW)
    assert Story.objects.get().categories == ["R&D", "Markets"]


def test_a_story_that_arrives_is_filed_by_the_first_rule_else_as_its_feed(feed, sections):
    world, markets = sections
    assert bring(feed).section == world

    Story.objects.all().delete()
    rule(markets, kind="category", value="markets", position=1)
    assert bring(feed).section == markets

    Story.objects.all().delete()
    rule(world, kind="path", value="/business/", feed=feed)
    assert bring(feed).section == world


def test_a_story_whose_text_its_feed_changes_is_filed_anew(feed, sections):
    rule(sections[1], kind="words", value="lowers")
    assert bring(feed).section == sections[0]

    assert bring(feed, title="Fed lowers rates").section == sections[1]


def test_categories_that_come_later_are_taken_over(feed, sections):
    rule(sections[1], kind="category", value="Markets")
    assert bring(feed, categories="").section == sections[0]

    story = bring(feed)

    assert (story.categories, story.section) == (["Markets"], sections[1])
    assert story.source_hash == source_hash(story)
    assert bring(feed, categories="").categories == ["Markets"]


def test_what_an_editor_filed_is_never_filed_by_a_rule(feed, sections):
    bring(feed)
    Story.objects.update(section=None, section_is_pinned=True)
    rule(sections[1], kind="category", value="Markets")

    assert bring(feed, title="Fed lowers rates").section is None
    assert apply_rules(newsletter_id=feed.newsletter_id, now=NOW) == 0


def test_stories_of_people_and_programs_are_filed_by_rule_unless_a_section_is_named(
    newsletter, sections
):
    rule(sections[1], kind="words", value="ferry")

    text = "The ferry sails again\n\n" + "The storm is over, and the islands get their mail. " * 4
    pasted = by_hand.add_from_text(newsletter=newsletter, text=text, now=NOW)
    told, _ = pushed.push(
        newsletter=newsletter, pushed=pushed.PushedStory(title="A ferry", text="It sails."), now=NOW
    )
    named, _ = pushed.push(
        newsletter=newsletter,
        pushed=pushed.PushedStory(title="One ferry", text="It sails."),
        section=sections[0],
        now=NOW,
    )

    assert (pasted.section, told.section) == (sections[1], sections[1])
    assert not pasted.section_is_pinned
    assert (named.section, named.section_is_pinned) == (sections[0], True)


def test_saved_rules_move_what_is_recent_and_free(newsletter, sections):
    world, markets = sections
    recent = {"title": "Fed raises rates", "section": world, "added_at": NOW}
    moved = factories.story(newsletter, **recent)
    factories.story(newsletter, **recent | {"added_at": NOW - timedelta(days=4)})
    factories.story(newsletter, **recent | {"section_is_pinned": True})
    factories.story(newsletter, **recent | {"section": markets})
    factories.item(factories.edition(newsletter, stories=0), factories.story(newsletter, **recent))
    other = factories.story(newsletter, **recent | {"title": "Rain"})
    rule(markets, kind="words", value="fed")

    moves = find_moves(movable(newsletter.pk, now=NOW), rules_of(newsletter.pk))

    assert [move.story for move in moves] == [moved]
    assert apply_rules(newsletter_id=newsletter.pk, now=NOW) == 1
    assert set(Story.objects.filter(section=world, title="Rain")) == {other}
    moved.refresh_from_db()
    assert (moved.section, moved.section_is_pinned) == (markets, False)


def test_a_trial_counts_what_a_rule_that_is_not_saved_would_move(newsletter, sections):
    world, markets = sections
    for title, section in [("Fed", world), ("Fed and rain", world), ("Fed now", markets)]:
        factories.story(newsletter, title=title, section=section, added_at=NOW)
    rule(world, kind="words", value="rain")
    new = SectionRule(newsletter=newsletter, section=markets, kind="words", value="fed", position=5)

    trial = try_rule(new, now=NOW)

    assert (trial.looked_at, trial.matching, trial.decided_before, trial.moving) == (3, 3, 1, 1)
    assert [move.story.title for move in trial.moves] == ["Fed"]
    assert SectionRule.objects.count() == 1


def test_what_was_filed_by_hand_is_filed_by_rule_again_when_an_editor_says_so(feed, sections):
    world, markets = sections
    by_hand = {"section": None, "section_is_pinned": True}
    fed = factories.story(feed.newsletter, feed=feed, title="Fed", **by_hand)
    rain = factories.story(feed.newsletter, feed=feed, title="Rain", **by_hand)
    lone = factories.story(feed.newsletter, title="Rain", section=markets, section_is_pinned=True)
    rule(markets, kind="words", value="fed")

    assert file_again([fed.pk, rain.pk, lone.pk]) == 2

    stories = Story.objects.order_by("pk")
    assert [story.section for story in stories] == [markets, world, markets]
    assert not any(story.section_is_pinned for story in stories)


def test_a_story_in_an_edition_keeps_its_categories_and_section(feed, sections):
    story = bring(feed, categories="")
    factories.item(factories.edition(feed.newsletter, stories=0), story)
    rule(sections[1], kind="category", value="Markets")

    story = bring(feed)

    assert (story.categories, story.section) == ([], sections[0])
