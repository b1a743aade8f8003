"""The page of a news event shows who reported it, and an editor says what belongs to it."""

from datetime import timedelta

import lxml.html
import pytest
from django.urls import reverse

from digest.events.overview import MOST_STEPS, best_report, overview_of
from digest.models import Story
from tests import factories
from tests.digest.admin.edition.test_page import messages_of
from tests.digest.admin.edition.test_page_browser import our_violations, set_colour_scheme
from tests.factories import NOW

pytestmark = pytest.mark.django_db

TITLES = ("Earthquake in Chile", "Chile: eleven dead", "Erdbeben in Chile", "Bank keeps its rate")


def url(number):
    return reverse("admin:digest_story_event", args=[number])


@pytest.fixture
def stories():
    """Three reports of one event, seven hours, two hours and one hour ago, and one of another."""
    newsletter = factories.newsletter()
    made = [
        factories.story(
            newsletter, title=title, source_name=source, stated_language=lang,
            published_at=NOW - timedelta(hours=hours), added_at=NOW - timedelta(hours=hours),
        )
        for title, source, lang, hours in zip(
            TITLES, ("Ledger", "Post", "Ledger", "Post"), ("en", "en", "de", "en"), (7, 2, 1, 1),
            strict=True,
        )
    ]  # fmt: skip
    Story.objects.filter(pk__in=[each.pk for each in made[:3]]).update(event=made[0].pk)
    Story.objects.filter(pk=made[3].pk).update(event=made[3].pk)
    return made


def events_of(stories):
    found = dict(Story.objects.values_list("pk", "event"))
    return [found[story.pk] for story in stories]


def text_of(response):
    return " ".join(lxml.html.fromstring(response.content).text_content().split())


def test_the_page_shows_reports_outlets_languages_course_and_where_it_was_printed(
    admin_client, stories
):
    edition = factories.edition(stories[0].newsletter, stories=0)
    factories.item(edition, stories[1])

    response = admin_client.get(url(stories[0].pk))

    page, event = text_of(response), response.context["event"]
    for title in TITLES[:3]:
        assert title in page
    assert [name for name, _ in event.outlets] == ["Ledger", "Post"]
    assert "English 2, German 1" in page
    assert [step.reports for step in event.curve] == [1, 0, 0, 0, 0, 1, 1]
    assert f"{edition.slot_date:%-d %B %Y}" in page
    assert b'role="img" aria-label="Reports in each hour; most were 1, from' in response.content


def test_a_copy_is_named_only_beside_the_report_whose_text_it_has(admin_client, stories):
    Story.objects.filter(pk__in=[each.pk for each in stories[:2]]).update(text_number=stories[1].pk)
    Story.objects.filter(pk=stories[2].pk).update(text_number=stories[3].pk)

    response = admin_client.get(url(stories[0].pk))

    assert response.context["event"].copies == {stories[1].pk}
    assert text_of(response).count("the same text as an earlier report") == 1


@pytest.mark.parametrize(
    ("fields", "best"),
    [
        ([{}, {}], 0),
        ([{}, {"image_url": "https://a.example/1.jpg"}], 1),
        ([{"summary": "Short."}, {"summary": "A longer summary of what happened."}], 1),
        ([{"image_url": "https://a.example/1.jpg"}, {"weight": 2}], 1),
    ],
)
def test_the_headline_is_of_the_best_report(fields, best):
    newsletter = factories.newsletter()
    reports = [
        factories.story(
            newsletter,
            feed=factories.feed(newsletter, weight=each.pop("weight", 1)),
            **{"summary": "The same.", "published_at": NOW + timedelta(hours=at)} | each,
        )
        for at, each in enumerate(map(dict, fields))
    ]

    assert best_report(reports[::-1]) == reports[best]


def test_a_long_life_is_drawn_in_longer_steps(stories):
    Story.objects.filter(pk=stories[0].pk).update(published_at=NOW - timedelta(days=30))

    event = overview_of(stories[0].pk)

    assert len(event.curve) <= MOST_STEPS
    assert sum(step.reports for step in event.curve) == 3


def test_chosen_reports_become_another_event(admin_client, stories):
    response = admin_client.post(
        url(stories[0].pk), {"separate": "", "report": stories[0].pk}, follow=True
    )

    assert events_of(stories[:3]) == [stories[0].pk, stories[1].pk, stories[1].pk]
    assert "1 report is an event of its own; 2 reports stay here." in messages_of(response)
    assert response.context["event"].number == stories[1].pk


@pytest.mark.parametrize(("chosen", "told"), [([], "Choose the"), ([0, 1, 2], "one has to stay")])
def test_no_report_or_all_of_them_cannot_be_separated(admin_client, stories, chosen, told):
    ids = [stories[at].pk for at in chosen]

    response = admin_client.post(url(stories[0].pk), {"report": ids}, follow=True)

    assert told in messages_of(response)
    assert len(set(events_of(stories))) == 2


def test_a_report_of_another_event_is_not_separated_from_here(admin_client, stories):
    admin_client.post(url(stories[0].pk), {"report": [stories[3].pk, "x", "9" * 30]})

    assert events_of(stories)[3] == stories[3].pk


def test_another_event_is_found_by_words_and_joined(admin_client, stories):
    found = admin_client.get(url(stories[0].pk), {"q": "rate bank"}).context["found"]
    assert found == [stories[3]]
    assert admin_client.get(url(stories[0].pk), {"q": "chile"}).context["found"] == []

    response = admin_client.post(url(stories[0].pk), {"join": stories[3].pk}, follow=True)

    assert set(events_of(stories)) == {stories[0].pk}
    assert "One event, with 4 reports." in messages_of(response)


def test_the_page_of_an_event_that_was_joined_leads_to_the_one_that_it_is_in(admin_client, stories):
    admin_client.post(url(stories[0].pk), {"join": stories[3].pk})

    assert admin_client.get(url(stories[3].pk)).url == url(stories[0].pk)


@pytest.mark.parametrize("other", ["", "x", "9" * 30, "123456"])
def test_joining_with_a_story_that_is_not_there_changes_nothing(admin_client, stories, other):
    response = admin_client.post(url(stories[0].pk), {"join": other}, follow=True)

    assert "not there any more" in messages_of(response)
    assert len(set(events_of(stories))) == 2


@pytest.mark.parametrize("number", [0, 123456, 2**70])
def test_an_event_that_is_none_has_no_page(admin_client, stories, number):
    assert admin_client.get(url(number)).status_code == 404


def test_who_may_only_look_sees_no_button_and_changes_nothing(staff_client, stories):
    client = staff_client("digest.view_story")

    page = client.get(url(stories[0].pk))
    response = client.post(url(stories[0].pk), {"join": stories[3].pk})

    assert page.status_code == 200
    assert b'name="separate"' not in page.content
    assert b'type="search" id="event-words"' not in page.content
    assert response.status_code == 403
    assert len(set(events_of(stories))) == 2


def test_who_may_not_see_stories_has_no_page(staff_client, stories):
    assert staff_client("digest.view_feed").get(url(stories[0].pk)).status_code == 403


def test_the_reasons_of_an_editions_item_lead_to_the_event(admin_client, stories):
    edition = factories.edition(stories[0].newsletter, stories=0)
    factories.item(edition, stories[0], why="2 sources, 3 reports, first seen 7 hours ago")

    page = admin_client.get(reverse("admin:digest_edition_change", args=[edition.pk]))

    assert url(stories[0].pk) in page.content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_axe_finds_nothing_on_an_events_page_which_fits_a_phone(admin_page, live_server, stories):
    admin_page.set_viewport_size({"width": 320, "height": 700})
    admin_page.goto(f"{live_server.url}{url(stories[0].pk)}?q=bank")

    assert admin_page.evaluate("document.documentElement.scrollWidth") <= 320
    for scheme in ("light", "dark"):
        set_colour_scheme(admin_page, scheme)
        assert our_violations(admin_page) == []
