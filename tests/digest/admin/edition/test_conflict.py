"""Two editors have one edition's page open: what both did is kept, or named where it is lost."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from digest.editions.edit import curate
from digest.models import Edition
from tests import factories
from tests.digest.admin.edition.test_page import (
    change_url,
    fields_of,
    form_of,
    messages_of,
    story_titles,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    newsletter = factories.newsletter(timezone="Europe/London")
    factories.section(newsletter, name="World")
    return factories.edition(newsletter, subject="As shown", preheader="And more.")


@pytest.fixture
def ann():
    client = Client()
    client.force_login(User.objects.create_superuser("ann", "ann@example.com", "x"))
    return client


def both_save(client, edition, *, mine, anns, ann):
    """Open the page twice, save Ann's, then mine; return the page that answers mine."""
    data = form_of(client, edition) | mine
    ann.post(change_url(edition), form_of(ann, edition) | anns)
    return client.post(change_url(edition), data)


def text_of(page):
    return " ".join(page.content.decode().split())


def save_as_shown(client, edition, page):
    """Save what the page shows, as its button does; return the edition."""
    saved = client.post(change_url(edition), fields_of(page) | {"_continue": ""}, follow=True)
    assert "Saved." in messages_of(saved)
    return Edition.objects.get(pk=edition.pk)


def headlines(edition):
    return [item.headline for item in edition.items.all()]


def test_what_only_one_of_two_editors_changed_is_kept_from_both(admin_client, ann, edition):
    titles = story_titles(edition)
    page = both_save(
        admin_client,
        edition,
        anns={
            "note": "Ann's note\r\nin two lines",
            "items-0-headline": "Ann's",
            "items-2-position": "1",
            "deadline_at_1": "23:59:00",
        },
        mine={"items-1-headline": "Mine", "items-1-summary": "In my words"},
        ann=ann,
    )

    text = text_of(page)
    assert "Changed by ann, " in text
    assert "You did not change the same things" in text
    assert "Save both" in text
    assert "Please correct" not in text
    fields = fields_of(page)
    assert fields["note"].splitlines() == ["Ann's note", "in two lines"]
    assert [fields[f"items-{row}-headline"] for row in range(3)] == ["", "Ann's", "Mine"]

    saved = save_as_shown(admin_client, edition, page)
    assert saved.note.splitlines() == ["Ann's note", "in two lines"]
    assert f"{saved.deadline_at.astimezone(saved.newsletter.zone):%H:%M}" == "23:59"
    assert story_titles(saved) == [titles[2], titles[0], titles[1]]
    assert headlines(saved) == ["", "Ann's", "Mine"]
    assert saved.items.last().summary == "In my words"


def test_the_page_names_what_of_a_colleagues_would_be_lost(admin_client, ann, edition):
    world = edition.newsletter.sections.get()
    titles = story_titles(edition)
    page = both_save(
        admin_client,
        edition,
        anns={
            "subject": "Ann's subject",
            "preheader": "The same",
            "items-0-headline": "Ann's headline",
            "items-1-section": str(world.pk),
            "items-1-summary": "Ann's summary",
            "items-0-position": "2",
            "items-1-position": "1",
        },
        mine={
            "subject": "Mine",
            "preheader": "The same",
            "items-0-headline": "My headline",
            "items-1-DELETE": "on",
            "items-2-position": "1",
        },
        ann=ann,
    )

    text = text_of(page)
    for line in (
        "Subject: “Ann&#x27;s subject”",
        f"Headline of “{titles[0]}”: “Ann&#x27;s headline”",
        f"Summary of “{titles[1]}”, which you remove: “Ann&#x27;s summary”",
        f"Section of “{titles[1]}”, which you remove: “World”",
        "The order of the stories",
    ):
        assert f"<li>{line}</li>" in text
    assert "Preheader:" not in text
    assert "Save mine over theirs" in text

    saved = save_as_shown(admin_client, edition, page)
    assert (saved.subject, headlines(saved)) == ("Mine", ["", "My headline"])
    assert story_titles(saved) == [titles[2], titles[0]]


def test_a_story_that_a_colleague_removed_stands_in_nobodys_way(admin_client, ann, edition):
    titles = story_titles(edition)
    data = form_of(admin_client, edition)
    data |= {"subject": "Mine", "items-1-headline": "My headline", "items-2-summary": "My summary"}
    ann.post(change_url(edition), form_of(ann, edition) | {"items-1-DELETE": "on"})
    added = factories.story(edition.newsletter, title="Added by a program")
    curate.add_story(edition_id=edition.pk, story_id=added.pk)

    page = admin_client.post(change_url(edition), data)

    text = text_of(page)
    assert f"“{titles[1]}” was removed: your headline for it cannot be saved." in text
    assert "Please correct" not in text
    saved = save_as_shown(admin_client, edition, page)
    assert saved.subject == "Mine"
    assert story_titles(saved) == [titles[0], titles[2], "Added by a program"]
    assert [item.summary for item in saved.items.all()] == ["", "My summary", ""]


@pytest.mark.parametrize("anns", [{"subject": "Ann's"}, {"items-1-position": "3"}])
def test_the_editors_order_is_saved_as_the_form_shows_it(admin_client, ann, edition, anns):
    titles = story_titles(edition)
    page = both_save(admin_client, edition, anns=anns, mine={"items-2-position": "1"}, ann=ann)

    saved = save_as_shown(admin_client, edition, page)

    assert story_titles(saved) == [titles[2], titles[0], titles[1]]


def test_a_third_change_is_told_as_well(admin_client, ann, edition):
    page = both_save(
        admin_client, edition, anns={"subject": "Ann's"}, mine={"subject": "Mine"}, ann=ann
    )
    Edition.objects.filter(pk=edition.pk).update(preheader="Changed once more")

    again = admin_client.post(change_url(edition), fields_of(page))

    assert "It was changed by a program" in text_of(again)
    saved = save_as_shown(admin_client, edition, again)
    assert (saved.subject, saved.preheader) == ("Mine", "Changed once more")


def test_a_faulty_field_is_still_to_be_corrected(admin_client, ann, edition):
    page = both_save(
        admin_client, edition, anns={"subject": "Ann's"}, mine={"deadline_at_0": "soon"}, ann=ann
    )

    assert "Please correct" in text_of(page)
    assert fields_of(page)["deadline_at_0"] == "soon"
