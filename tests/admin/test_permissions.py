"""Who may do what at the desk, on the pages that Django does not guard by itself."""

import pytest
from django.urls import reverse

from digest.models import Edition, Feed
from tests import factories

pytestmark = pytest.mark.django_db

LOOKING = ["preview", "preview_html", "progress"]
CHANGING = ["send", "skip", "reopen", "stories"]


@pytest.fixture
def edition():
    return factories.edition(factories.newsletter())


def url(name, edition):
    return reverse(f"admin:digest_edition_{name}", args=[edition.pk])


@pytest.mark.parametrize("name", [*LOOKING, *CHANGING])
def test_a_stranger_is_sent_to_the_login(client, edition, name):
    for answer in (client.get(url(name, edition)), client.post(url(name, edition))):
        assert answer.status_code == 302
        assert "/login/" in answer.url


@pytest.mark.parametrize("name", [*LOOKING, *CHANGING])
def test_staff_without_permission_see_and_do_nothing(staff, edition, name):
    client = staff("subscribers.view_newsletter")

    assert client.get(url(name, edition)).status_code in {403, 405}
    assert client.post(url(name, edition)).status_code == 403


@pytest.mark.parametrize("name", LOOKING)
def test_who_may_view_may_look(staff, edition, name):
    assert staff("digest.view_edition").get(url(name, edition)).status_code == 200


@pytest.mark.parametrize("name", CHANGING)
def test_who_may_only_view_changes_nothing(staff, edition, name):
    client = staff("digest.view_edition")

    assert client.post(url(name, edition)).status_code == 403
    edition.refresh_from_db()
    assert edition.status == Edition.Status.DRAFT


def test_who_may_only_view_gets_no_buttons(staff, edition):
    page = staff("digest.view_edition").get(
        reverse("admin:digest_edition_change", args=[edition.pk])
    )

    assert page.status_code == 200
    assert "_approve" not in page.content.decode()


def test_an_editor_without_being_superuser_can_edit_stories_in_an_edition(staff, edition):
    client = staff("digest.change_edition", "digest.view_edition")

    page = client.get(reverse("admin:digest_edition_change", args=[edition.pk])).content.decode()

    assert "_approve" in page
    assert 'name="items-0-headline"' in page


def test_getting_any_page_of_the_desk_changes_nothing(desk, edition):
    feed = factories.feed(edition.newsletter)
    before = Edition.objects.values().get(), Feed.objects.values().get()

    for name in [*LOOKING, *CHANGING]:
        desk.get(url(name, edition))
    desk.get(reverse("admin:digest_feed_fetch", args=[feed.pk]))

    assert (Edition.objects.values().get(), Feed.objects.values().get()) == before


@pytest.mark.parametrize("name", ["send", "skip", "reopen"])
def test_a_form_of_another_site_is_refused(edition, editor, name):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)

    assert client.post(url(name, edition)).status_code == 403


def test_fetching_a_feed_takes_the_permission_to_change_it(staff, edition):
    feed = factories.feed(edition.newsletter)

    answer = staff("digest.view_feed").post(reverse("admin:digest_feed_fetch", args=[feed.pk]))

    assert answer.status_code == 403


def test_adding_a_story_takes_the_permission_to_add(staff, db):
    assert staff("digest.view_story").get(reverse("admin:digest_story_add")).status_code == 403


def test_the_sidebar_shows_only_what_one_may_see(staff, edition):
    page = staff("digest.view_story").get(reverse("admin:index")).content.decode()

    assert reverse("admin:digest_story_changelist") in page
    assert reverse("admin:digest_delivery_changelist") not in page
    assert "What goes out next" not in page
