"""The edition's page offers what the autopilot would write or add, and says what it does."""

from datetime import time, timedelta

import pytest
from django.utils.timezone import now

from digest.editions.draft.draft import draft_edition
from digest.editions.draft.refresh import refresh
from digest.editions.edit import curate
from digest.models import Schedule, Story
from tests import factories
from tests.digest.admin.edition.test_page import (
    change_url,
    form_of,
    messages_of,
    save,
    story_titles,
)

pytestmark = pytest.mark.django_db

TITLES = (
    "Harbour reopens after the storm",
    "Rates fall for the third time",
    "Rain ends the drought",
)


@pytest.fixture
def newsletter():
    newsletter = factories.newsletter(timezone="UTC")
    for hours, title in enumerate(TITLES):
        published_at = now() - timedelta(hours=1 + 4 * hours)
        factories.story(newsletter, title=title, published_at=published_at, source_name=title[:60])
    return newsletter


@pytest.fixture
def edition(newsletter):
    """A draft that was made half an hour ago and goes out in an hour and a half."""
    goes_out = now() + timedelta(minutes=90)
    schedule = factories.schedule(
        newsletter, local_time=time(goes_out.hour, goes_out.minute), min_stories=1, max_stories=3
    )
    drafted_at = now() - timedelta(minutes=30)
    return draft_edition(
        newsletter=newsletter, schedule=schedule, date=goes_out.date(), now=drafted_at
    )


def text_of(admin_client, edition):
    return " ".join(admin_client.get(change_url(edition)).content.decode().split())


def arrive(newsletter, title="Bridge closed"):
    return factories.story(
        newsletter, title=title, published_at=now(), added_at=now(), source_name=title[:60]
    )


def test_a_proposal_fills_its_field_and_saves_what_else_was_typed(admin_client, edition):
    page = text_of(admin_client, edition)
    assert f'name="_subject" value="{TITLES[1]}"' in page
    assert f'{TITLES[1]} <span class="admin-hint">{len(TITLES[1])} characters</span>' in page

    save(admin_client, edition, _subject=TITLES[1], subject="Typed", note="My note")

    assert (edition.subject, edition.note) == (TITLES[1], "My note")
    # The preheaders are those for the subject that is saved.
    assert f'name="_preheader" value="{TITLES[0]} · {TITLES[2]}"' in text_of(admin_client, edition)


def test_what_is_new_is_taken_by_itself_until_somebody_changes_the_edition(
    admin_client, newsletter, edition
):
    arrived = arrive(newsletter)
    page = text_of(admin_client, edition)
    assert "fresher stories are taken by themselves" in page
    assert "New since the draft" not in page

    curate.set_copy(edition_id=edition.pk, note="Mine")
    page = text_of(admin_client, edition)
    assert "fresher stories are taken by themselves" not in page
    assert "New since the draft: 1 story" in page
    # Below twelve stories nobody would see it.
    assert '<a class="text-link" href="#offers-heading">New since the draft: 1 story</a>' in page

    answer = save(admin_client, edition, _add_story=str(arrived.pk), note="Mine, too")

    assert "Added at the end: “Bridge closed”." in messages_of(answer)
    assert edition.note == "Mine, too"
    assert story_titles(edition)[-1] == "Bridge closed"
    assert edition.items.last().story == arrived
    assert "New since the draft" not in text_of(admin_client, edition)


@pytest.mark.parametrize("number", ["", "x", "999999999999999999999", "0"])
def test_a_story_that_is_gone_is_not_added(admin_client, edition, number):
    answer = save(admin_client, edition, _add_story=number)

    assert "Not added: there is no such story any more." in messages_of(answer)
    assert edition.items.count() == 3


def test_a_page_that_was_open_while_the_autopilot_took_a_story_says_so(
    admin_client, newsletter, edition
):
    form = form_of(admin_client, edition) | {"note": "Mine"}
    arrived = arrive(newsletter)
    Story.objects.filter(pk=arrived.pk).update(event=arrived.pk)
    assert refresh(edition_id=edition.pk, now=now())

    page = " ".join(admin_client.post(change_url(edition), form).content.decode().split())

    assert "Changed by the autopilot, " in page
    assert (
        "(Taken: “Bridge closed” (1 source; first seen in the last hour; not printed before) "
        "instead of" in page
    )
    edition.refresh_from_db()
    assert edition.note == ""


def test_the_page_says_why_an_edition_is_short_and_what_becomes_of_it(admin_client, newsletter):
    goes_out = now() + timedelta(minutes=90)
    schedule = factories.schedule(
        newsletter, local_time=time(goes_out.hour, goes_out.minute), min_stories=4
    )
    feed = factories.feed(newsletter)
    factories.story(newsletter, title="Thursday Briefing", published_at=now(), feed=feed)
    edition = draft_edition(
        newsletter=newsletter, schedule=schedule, date=goes_out.date(), now=now()
    )

    page = text_of(admin_client, edition)
    assert "A draft with too few stories. It is skipped " in page
    assert "Drafted with 3 of at least 4 stories. Not proposed: 1: a briefing" in page

    Schedule.objects.update(too_few="send", unapproved="send")
    assert "Goes out " in text_of(admin_client, edition)
