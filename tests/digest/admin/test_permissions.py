"""Permissions on those pages of the admin that Django itself does not protect."""

import logging
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from config.http_middleware import ClientFaults
from digest.admin.edition import decisions, under_way
from digest.editions.decide import approve
from digest.models import Edition, Feed
from tests import factories
from tests.digest.admin.edition.test_page import form_of

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

    assert 'name="items-0-headline"' in page


# --- Editing, approving and sending are three permissions -----------------------------------------

EDIT, APPROVE, SEND = (f"digest.{name}_edition" for name in ("change", "approve", "send"))
PAGES = {
    "approve": {APPROVE},
    "withdraw": {APPROVE},
    "skip": {APPROVE},
    "reopen": {APPROVE},
    "send": {APPROVE, SEND},
    "end": {SEND},
    "resend": {SEND},
    "correct": {EDIT},
}


@pytest.fixture
def upcoming(edition, monkeypatch):
    """An edition of tomorrow, and no worker that would take what is enqueued."""
    for module in (decisions, under_way):
        for name in ("enqueue", "start_lanes"):
            monkeypatch.setattr(module, name, lambda *args, **kwargs: None, raising=False)
    times = {"sends_at": now() + timedelta(hours=20), "deadline_at": now() + timedelta(hours=23)}
    Edition.objects.filter(pk=edition.pk).update(preheader="And more.", **times)
    edition.refresh_from_db()
    return edition


def in_state(edition, state):
    """Put the edition into a state in which the page of that name has something to do."""
    fields = {
        "withdraw": {"status": "approved", "approved_hash": "x"},
        "reopen": {"status": "skipped", "reason": "by-editor"},
        "end": {"status": "held", "reason": "stopped", "sending_at": now()},
        "resend": {"status": "sent", "sending_at": now(), "sent_at": now()},
        "correct": {"status": "sent", "sending_at": now(), "sent_at": now()},
    }.get(state, {})
    factories.force_update(Edition.objects.filter(pk=edition.pk), **fields)
    edition.refresh_from_db()


@pytest.mark.parametrize(("name", "needed"), PAGES.items())
def test_each_step_is_refused_to_those_who_lack_one_permission_for_it(
    staff_client, upcoming, name, needed
):
    in_state(upcoming, name)
    client = staff_client("digest.view_edition", *({EDIT, APPROVE, SEND} - needed))
    before = Edition.objects.values().get()

    for lacking in needed:
        Permission.objects.get(codename=lacking.removeprefix("digest.")).user_set.clear()
        response = client.post(url(name, upcoming), {"seen": approve.fingerprint(upcoming)})
        assert response.status_code == 403
        assert "Only somebody who may" in response.content.decode()
        User.objects.get().user_permissions.add(
            *Permission.objects.filter(codename__in=[one[7:] for one in needed])
        )
    assert Edition.objects.values().get() == before


@pytest.mark.parametrize(("name", "needed"), PAGES.items())
def test_each_step_needs_no_other_permission(staff_client, upcoming, name, needed):
    in_state(upcoming, name)

    response = staff_client("digest.view_edition", *needed).post(
        url(name, upcoming), {"seen": approve.fingerprint(upcoming)}
    )

    assert response.status_code in {200, 302}


@pytest.mark.parametrize("permission", [APPROVE, SEND])
def test_whoever_lets_editions_out_may_stop_one(staff_client, upcoming, permission):
    factories.force_update(
        Edition.objects.filter(pk=upcoming.pk), status="sending", sending_at=now()
    )
    client = staff_client("digest.view_edition", EDIT)
    assert client.post(url("stop", upcoming)).status_code == 403

    User.objects.get().user_permissions.add(Permission.objects.get(codename=permission[7:]))
    assert client.post(url("stop", upcoming)).status_code == 302
    upcoming.refresh_from_db()
    assert upcoming.reason == "stopped"


@pytest.mark.parametrize("button", ["_approve", "_withdraw"])
def test_a_writer_has_no_button_that_decides_and_pressing_one_saves_nothing(
    staff_client, upcoming, button
):
    client = staff_client("digest.view_edition", EDIT)
    page = client.get(reverse("admin:digest_edition_change", args=[upcoming.pk]))
    assert not any(
        name in page.content.decode() for name in ("_approve", "_send", "_skip", "sends_at_0")
    )

    data = form_of(client, upcoming) | {"subject": "Typed by a writer", button: ""}
    response = client.post(reverse("admin:digest_edition_change", args=[upcoming.pk]), data)

    assert response.status_code == 403
    upcoming.refresh_from_db()
    assert (upcoming.status, upcoming.subject) != ("approved", "Typed by a writer")
    assert upcoming.subject != "Typed by a writer"


def test_only_whoever_may_send_moves_the_send_time(staff_client, upcoming):
    """Otherwise an approval and a new time would send the edition."""
    client = staff_client("digest.view_edition", EDIT, APPROVE)
    data = form_of(client, upcoming) | {"sends_at_0": "01/01/2020", "_approve": ""}

    client.post(reverse("admin:digest_edition_change", args=[upcoming.pk]), data)

    sends_at = upcoming.sends_at
    upcoming.refresh_from_db()
    assert (upcoming.status, upcoming.sends_at) == ("approved", sends_at)


def test_approving_what_goes_out_by_that_alone_needs_the_permission_to_send(staff_client, upcoming):
    factories.force_update(
        Edition.objects.filter(pk=upcoming.pk), status="held", reason="stopped", sending_at=now()
    )
    client = staff_client("digest.view_edition", EDIT, APPROVE)

    response = client.post(url("approve", upcoming), {"seen": approve.fingerprint(upcoming)})

    assert response.status_code == 403


def test_an_approver_who_may_not_edit_approves_what_the_page_showed(staff_client, upcoming):
    client = staff_client("digest.view_edition", APPROVE)
    page = client.get(reverse("admin:digest_edition_change", args=[upcoming.pk])).content.decode()
    seen = approve.fingerprint(upcoming)
    assert f'name="seen" value="{seen}"' in page
    assert url("approve", upcoming) in page
    Edition.objects.filter(pk=upcoming.pk).update(subject="Changed since")

    client.post(url("approve", upcoming), {"seen": seen})
    upcoming.refresh_from_db()
    assert upcoming.status == "draft"

    client.post(url("approve", upcoming), {"seen": approve.fingerprint(upcoming)})
    upcoming.refresh_from_db()
    assert upcoming.status == "approved"


def test_the_upgrade_takes_nothing_away_and_makes_groups(db):
    migration = import_module("digest.migrations.0006_approving_and_sending")
    mine = Permission.objects.filter(content_type__app_label="digest")
    mine.filter(codename__in=["approve_edition", "send_edition"]).delete()
    change = mine.get(codename="change_edition")
    Group.objects.all().delete()
    own, member = User.objects.create_user("own"), User.objects.create_user("member")
    own.user_permissions.add(change)
    desk = Group.objects.create(name="Editors")
    desk.permissions.add(change)
    member.groups.add(desk)

    migration.forward(apps, None)
    migration.forward(apps, None)

    for name in ("own", "member"):
        assert User.objects.get(username=name).has_perms([EDIT, APPROVE, SEND])
    writers, publishers = (
        Group.objects.get(name=name).permissions.values_list("codename", flat=True)
        for name in ("Writers", "Publishers")
    )
    assert set(publishers) - set(writers) == {"approve_edition", "send_edition"}
    assert "change_edition" in writers


def test_a_get_request_for_any_admin_page_changes_nothing(admin_client, edition):
    feed = factories.feed(edition.newsletter)
    before = Edition.objects.values().get(), Feed.objects.values().get()

    for name in [*READ_ONLY, *CHANGING]:
        admin_client.get(url(name, edition))
    admin_client.get(reverse("admin:digest_feed_fetch", args=[feed.pk]))

    assert (Edition.objects.values().get(), Feed.objects.values().get()) == before


@pytest.mark.parametrize("name", ["send", "skip", "reopen"])
def test_a_post_without_a_csrf_token_is_refused(edition, editor, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)

    assert client.post(url(name, edition)).status_code == 403


def test_who_lacks_a_permission_stays_in_the_admin_and_causes_no_traceback(staff_client, caplog):
    logger = logging.getLogger("django.request")
    logger.addHandler(caplog.handler)
    as_the_console = ClientFaults()
    caplog.handler.addFilter(as_the_console)
    page = staff_client("digest.view_story").get(reverse("admin:subscribers_subscriber_changelist"))
    logger.removeHandler(caplog.handler)
    caplog.handler.removeFilter(as_the_console)

    assert page.status_code == 403
    assert f'href="{reverse("admin:index")}"' in page.content.decode()
    assert reverse("admin:digest_story_changelist") in page.content.decode()
    assert "See all newsletters" not in page.content.decode()
    assert "Forbidden" in caplog.text
    assert "Traceback" not in caplog.text


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
