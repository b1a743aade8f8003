"""Permissions on those pages of the admin that Django itself does not protect."""

import pytest
from django.urls import reverse

from digest.models import Edition, Feed
from tests import factories

pytestmark = pytest.mark.django_db

READ_ONLY = ["preview", "preview_html", "progress"]
CHANGING = ["send", "skip", "reopen", "stories"]


@pytest.fixture
def edition():
    return factories.edition(factories.newsletter())


def url(name, edition):
    return reverse(f"admin:digest_edition_{name}", args=[edition.pk])


@pytest.mark.parametrize("name", [*READ_ONLY, *CHANGING])
def test_an_anonymous_visitor_is_sent_to_the_login(client, edition, name):
    for response in (client.get(url(name, edition)), client.post(url(name, edition))):
        assert response.status_code == 302
        assert "/login/" in response.url


@pytest.mark.parametrize("name", [*READ_ONLY, *CHANGING])
def test_staff_without_permission_see_and_do_nothing(staff_client, edition, name):
    client = staff_client("subscribers.view_newsletter")

    assert client.get(url(name, edition)).status_code in {403, 405}
    assert client.post(url(name, edition)).status_code == 403


@pytest.mark.parametrize("name", READ_ONLY)
def test_a_view_permission_opens_the_read_only_pages(staff_client, edition, name):
    assert staff_client("digest.view_edition").get(url(name, edition)).status_code == 200


@pytest.mark.parametrize("name", CHANGING)
def test_a_view_permission_changes_nothing(staff_client, edition, name):
    client = staff_client("digest.view_edition")

    assert client.post(url(name, edition)).status_code == 403
    edition.refresh_from_db()
    assert edition.status == Edition.Status.DRAFT


def test_a_view_permission_shows_no_buttons(staff_client, edition):
    page = staff_client("digest.view_edition").get(
        reverse("admin:digest_edition_change", args=[edition.pk])
    )

    assert page.status_code == 200
    assert "_approve" not in page.content.decode()


def test_an_editor_who_is_no_superuser_can_edit_stories_in_an_edition(staff_client, edition):
    client = staff_client("digest.change_edition", "digest.view_edition")

    page = client.get(reverse("admin:digest_edition_change", args=[edition.pk])).content.decode()

    assert "_approve" in page
    assert 'name="items-0-headline"' in page


def test_a_get_request_for_any_admin_page_changes_nothing(admin_client, edition):
    feed = factories.feed(edition.newsletter)
    before = Edition.objects.values().get(), Feed.objects.values().get()

    for name in [*READ_ONLY, *CHANGING]:
        admin_client.get(url(name, edition))
    admin_client.get(reverse("admin:digest_feed_fetch", args=[feed.pk]))

    assert (Edition.objects.values().get(), Feed.objects.values().get()) == before


@pytest.mark.parametrize("name", ["send", "skip", "reopen"])
def test_a_post_without_a_csrf_token_is_refused(edition, editor, name):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)

    assert client.post(url(name, edition)).status_code == 403


def test_fetching_a_feed_needs_the_permission_to_change_it(staff_client, edition):
    feed = factories.feed(edition.newsletter)

    response = staff_client("digest.view_feed").post(
        reverse("admin:digest_feed_fetch", args=[feed.pk])
    )

    assert response.status_code == 403


def test_adding_a_story_needs_the_permission_to_add(staff_client, db):
    assert (
        staff_client("digest.view_story").get(reverse("admin:digest_story_add")).status_code == 403
    )


def test_the_sidebar_shows_only_lists_that_the_user_may_view(staff_client, edition):
    page = staff_client("digest.view_story").get(reverse("admin:index")).content.decode()

    assert reverse("admin:digest_story_changelist") in page
    assert reverse("admin:digest_delivery_changelist") not in page
    assert "What goes out next" not in page
