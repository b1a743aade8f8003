"""An event that readers know comes again only as a marked follow-up with something new."""

from datetime import timedelta

import pytest

from digest.editions.draft.draft import draft_edition
from digest.editions.draft.offers import offers
from digest.editions.edit import curate
from digest.models import Edition, EditionItem, Story
from digest.rendering.assemble import assemble, web_page
from digest.rendering.content_hash import content_hash
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
YESTERDAY = NOW - 22 * HOUR


@pytest.fixture
def newsletter():
    newsletter = factories.newsletter()
    for title in ("Bakers raise prices", "Lake freezes over", "Choir wins a prize"):
        factories.story(newsletter, title=title, summary="", published_at=NOW - HOUR)
    return newsletter


@pytest.fixture
def print_event(newsletter):
    """A function that prints an event in an edition of yesterday and returns its item."""

    def print_event(title="Ferry runs aground off Hull", **fields):
        story = factories.story(
            newsletter, title=title, summary="Forty wait.", published_at=YESTERDAY - HOUR
        )
        Story.objects.filter(pk=story.pk).update(event=story.pk, added_at=YESTERDAY - HOUR)
        edition = factories.edition(newsletter, stories=0, drafted_at=YESTERDAY)
        item = factories.item(edition, story)
        sent = {"status": "sent", "sending_at": YESTERDAY + HOUR}
        factories.force_update(Edition.objects.filter(pk=edition.pk), **sent | fields)
        return item

    return print_event


def report(item, title, source, *, at=NOW - 2 * HOUR, **fields):
    return factories.story(
        item.newsletter,
        title=title,
        summary="",
        source_name=source,
        published_at=at,
        event=item.story_id,
        **{"added_at": at} | fields,
    )


def bring_news(item, what="captain arrested", **fields):
    return [report(item, f"Ferry: {what}, {by}", by, **fields) for by in ("Wire", "Post")]


def marked(edition):
    return edition.items.filter(follows__isnull=False)


def test_something_new_of_a_printed_event_is_proposed_once_as_a_follow_up(newsletter, print_event):
    printed = print_event()
    reports = bring_news(printed)

    edition = draft_edition(newsletter=newsletter, now=NOW)

    (item,) = marked(edition)
    assert item.story in reports
    assert item.follows == printed
    day = f"{printed.edition.slot_date:%-d %B}"
    assert item.why.startswith("3 sources; ")
    assert item.why.endswith(f"; follow-up of “Ferry runs aground off Hull” on {day}")
    assert edition.items.count() == 4
    assert edition.items.first() != item  # it is no lead
    assert edition.log.first().words == "Drafted with 3 of 3 new stories, 1 follow-up"


@pytest.mark.parametrize(
    ("edition_fields", "report_fields"),
    [
        ({}, {"what": "aground off Hull"}),  # nothing new
        ({}, {"at": YESTERDAY - 2 * HOUR}),  # older than the edition
        ({}, {"added_at": YESTERDAY - HOUR}),  # the edition could have had it
        ({}, {"link_died_at": NOW}),  # its page is gone
        ({"status": "draft", "sending_at": None}, {}),  # readers do not have it yet
    ],
)
def test_nothing_new_is_no_follow_up(newsletter, print_event, edition_fields, report_fields):
    printed = print_event(**edition_fields)
    bring_news(printed, **report_fields)

    edition = draft_edition(newsletter=newsletter, now=NOW)

    assert not marked(edition).exists()
    assert edition.items.count() == 3


def test_a_follow_up_is_followed_up_only_by_what_is_newer_still(newsletter, print_event):
    bring_news(print_event())
    first = draft_edition(newsletter=newsletter, now=NOW)
    factories.force_update(
        Edition.objects.filter(pk=first.pk), status="sent", sending_at=NOW + HOUR
    )
    later = NOW + 20 * HOUR

    second = draft_edition(newsletter=newsletter, date=later.date() + 24 * HOUR, now=later)

    assert not marked(second).exists()


def test_an_edition_that_has_a_follow_up_is_not_offered_another_of_its_event(
    newsletter, print_event
):
    printed = print_event()
    bring_news(printed)
    edition = draft_edition(newsletter=newsletter, now=NOW)
    report(printed, "Ferry: captain arrested, Mail", "Mail", at=NOW + HOUR / 2)
    fresh = factories.story(newsletter, title="Omega", source_name="", published_at=NOW + HOUR)

    found = offers(edition, now=NOW + HOUR)

    assert [item.story for item in found.new] == [fresh]
    assert found.instead == []


@pytest.mark.parametrize(
    ("edition_fields", "report_fields", "is_marked"),
    [
        ({}, {}, True),
        ({}, {"at": YESTERDAY - 2 * HOUR}, False),  # no newer than what they have
        ({"status": "draft", "sending_at": None}, {}, False),  # they do not have it yet
    ],
)
def test_what_an_editor_adds_of_an_event_that_readers_have_is_marked(
    newsletter, print_event, edition_fields, report_fields, is_marked
):
    printed = print_event(**edition_fields)
    story = report(printed, "Ferry: captain arrested", "Wire", **report_fields)
    edition = factories.edition(newsletter, stories=1)

    item = curate.add_story(edition_id=edition.pk, story_id=story.pk)

    assert item.follows == (printed if is_marked else None)


def test_an_edition_has_two_follow_ups_at_most(newsletter, print_event):
    for name in ("Oslo", "Riga", "Bonn"):
        bring_news(print_event(f"Tram derails in {name}"))

    edition = draft_edition(newsletter=newsletter, now=NOW)

    assert marked(edition).count() == 2
    assert len({item.story.event for item in marked(edition)}) == 2


@pytest.fixture
def follow_up(newsletter, print_event):
    edition = factories.edition(newsletter, stories=2)
    story = factories.story(newsletter, title="Captain arrested")
    return factories.item(edition, story, position=1, follows=print_event())


@pytest.mark.parametrize(
    ("language", "mark"), [("en", "Update"), ("de", "Neue Entwicklung"), ("nl", "Update")]
)
@pytest.mark.parametrize("position", [1, 0])
def test_readers_see_a_mark_above_a_follow_up(follow_up, language, mark, position):
    edition, newsletter = follow_up.edition, follow_up.newsletter
    newsletter.language = language
    newsletter.save()
    EditionItem.objects.filter(pk=follow_up.pk).update(position=position)
    edition.items.exclude(pk=follow_up.pk).update(position=9)

    page = assemble(edition)

    assert page.html.count(f">{mark}</p>") == web_page(edition).count(f">{mark}</p>") == 1
    assert page.text.count(f"{mark}:\n") == 1


def test_an_approval_covers_the_mark(follow_up):
    before = content_hash(follow_up.edition)
    EditionItem.objects.update(follows=None)

    assert content_hash(follow_up.edition) != before
