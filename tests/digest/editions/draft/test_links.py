"""A link is dead only if its server says so twice; whatever else goes wrong says nothing."""

from datetime import timedelta

import pytest
from django.urls import reverse

from digest.editions.draft.links import due_links, look_at_link
from digest.models import Edition, Story
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

AGAIN = NOW + timedelta(minutes=5)


@pytest.fixture
def story(web):
    newsletter = factories.newsletter()
    edition = factories.edition(newsletter, stories=0, sends_at=NOW + timedelta(minutes=40))
    story = factories.story(newsletter, url=web.url("/page"))
    factories.item(edition, story)
    return story


def look(story, at):
    look_at_link(story_id=story.pk, now=at)
    story.refresh_from_db()
    return story


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_missing_twice_is_gone(web, story, status):
    web.serve("/page", b"x" * 100, status=status)

    assert look(story, NOW).link_died_at is None
    assert story.link_missing_at == NOW
    # Not before some minutes have passed.
    assert due_links(now=AGAIN - timedelta(seconds=1)) == []
    assert look(story, AGAIN - timedelta(seconds=1)).link_died_at is None
    assert len(web.requests) == 1

    assert due_links(now=AGAIN) == [story.pk]
    assert look(story, AGAIN).link_died_at == AGAIN
    assert due_links(now=AGAIN + timedelta(minutes=6)) == []


def test_a_page_that_was_missing_for_a_moment_is_not_gone(web, story):
    look(story, NOW)
    web.serve("/page", b"here")

    look(story, AGAIN)

    assert (story.link_missing_at, story.link_died_at) == (None, None)


def test_an_editor_brings_back_what_a_server_denies_to_programs(web, story, admin_client):
    look(story, NOW)
    assert look(story, AGAIN).link_died_at
    url = reverse("admin:digest_story_changelist")

    admin_client.post(url, {"action": "want", "_selected_action": [story.pk]})

    later = AGAIN + timedelta(minutes=5)
    assert look(story, later).link_died_at is None
    # A page that is there, and then is not, is gone all the same.
    web.serve("/page", b"here")
    look(story, later + timedelta(minutes=5))
    web.serve("/page", status=404)
    Story.objects.update(wanted_at=later)
    Edition.objects.update(sends_at=later + timedelta(minutes=60))
    look(story, later + timedelta(minutes=35))
    look(story, later + timedelta(minutes=40))
    assert story.link_died_at


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_what_is_unknown_drops_no_story(web, story, status):
    look(story, NOW)
    web.serve("/page", status=status)

    look(story, AGAIN)

    assert (story.link_missing_at, story.link_died_at) == (NOW, None)


def test_a_refused_or_unreachable_address_drops_no_story(story, settings):
    Story.objects.update(url="http://127.0.0.1:9/")  # nobody listens there
    assert look(story, NOW).link_missing_at is None
    settings.FETCH_ALLOW_HOSTS = []
    assert look(story, NOW + timedelta(minutes=30)).link_missing_at is None
    assert story.link_checked_at == NOW + timedelta(minutes=30)


def test_a_redirect_to_a_missing_page_counts_and_a_link_is_looked_at_twice_an_hour(web, story):
    web.serve("/page", status=302, headers={"Location": web.url("/away")})
    web.serve("/away", b"here")

    look(story, NOW)
    look(story, NOW + timedelta(minutes=29))
    assert len(web.requests) == 2
    web.serve("/away", status=404)
    assert look(story, NOW + timedelta(minutes=30)).link_missing_at is not None


def test_only_links_of_editions_that_go_out_soon_are_looked_at(web, story):
    assert due_links(now=NOW) == [story.pk]
    Edition.objects.update(sends_at=NOW + timedelta(minutes=46))
    assert due_links(now=NOW) == []
    Edition.objects.update(sends_at=NOW)
    assert due_links(now=NOW) == []
    look(story, NOW)
    assert web.requests == []
