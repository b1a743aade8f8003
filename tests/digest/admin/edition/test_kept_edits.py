"""What an editor typed is there after a log-in, and after a colleague's change."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from digest.admin.edition import kept_edits
from digest.models import Edition
from tests import factories
from tests.digest.admin.edition.test_page import change_url, form_of, messages_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    return factories.edition(factories.newsletter(timezone="Europe/London"), preheader="And more.")


def typed_in(client, edition, **data):
    """Return what a browser posts, with the note of whose page it is."""
    context = client.get(change_url(edition)).context
    return form_of(client, edition) | {"owner": context["owner_note"]} | data


def page_of(client, edition, **query):
    return client.get(change_url(edition), query)


def subject_in(response):
    return response.context["adminform"].form["subject"].value()


@pytest.fixture
def lost(admin_client, editor, edition):
    """An edit that was saved when the session had ended; the editor has logged in again."""
    data = typed_in(
        admin_client, edition, subject="Typed for an hour", _approve="",
        **{"items-1-headline": "In my words", "items-2-position": "1"},
    )  # fmt: skip
    admin_client.logout()
    response = admin_client.post(change_url(edition), data)
    assert response.status_code == 302
    assert response.url == f"{reverse('admin:login')}?next={change_url(edition)}"
    admin_client.force_login(editor)
    return data


def test_what_was_typed_is_in_the_form_after_logging_in_again(admin_client, edition, lost):
    page = page_of(admin_client, edition)

    text = page.content.decode()
    assert "You had been logged out when you saved this." in text
    assert "Please correct the error" not in text
    assert subject_in(page) == "Typed for an hour"
    assert "In my words" in text
    edition.refresh_from_db()
    assert (edition.subject, edition.status) != ("Typed for an hour", "approved")
    assert subject_in(page_of(admin_client, edition, saved=1)) == edition.subject


def test_it_is_forgotten_once_it_is_saved(admin_client, edition, lost):
    del lost["_approve"]
    admin_client.post(change_url(edition), lost)

    edition.refresh_from_db()
    assert edition.subject == "Typed for an hour"
    assert "You had been logged out" not in page_of(admin_client, edition).content.decode()


def test_a_log_in_in_another_tab_loses_nothing_either(edition, editor):
    """It makes the token of the form in this tab invalid."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(editor)
    data = typed_in(browser, edition, subject="Typed for an hour")

    response = browser.post(change_url(edition), data | {"csrfmiddlewaretoken": "x" * 64})

    assert (response.status_code, response.url) == (302, change_url(edition))
    assert subject_in(page_of(browser, edition)) == "Typed for an hour"
    assert browser.post(reverse("admin:digest_story_add"), data).status_code == 403


def test_nobody_else_sees_it(client, edition, lost):
    client.force_login(User.objects.create_superuser("other", "other@example.com", "x"))

    assert "Typed for an hour" not in page_of(client, edition).content.decode()


@pytest.mark.parametrize("fault", ["no note", "forged", "another edition's", "too long"])
def test_a_stranger_puts_nothing_there(admin_client, editor, edition, fault):
    data = typed_in(admin_client, edition, subject="From a stranger")
    owner = kept_edits.Owner(editor.pk, edition.pk + 1, 0)
    data |= {
        "no note": {"owner": ""},
        "forged": {"owner": data["owner"][:-1] + "~"},
        "another edition's": {"owner": kept_edits.owner_note(owner)},
        "too long": {"note": "x" * kept_edits.MAX_LENGTH},
    }[fault]
    admin_client.logout()
    admin_client.post(change_url(edition), data)
    admin_client.force_login(editor)

    assert "From a stranger" not in page_of(admin_client, edition).content.decode()


# --- A colleague's change in between --------------------------------------------------------------


@pytest.fixture
def conflict(admin_client, edition):
    """Two editors have the page open, and one has saved; return what the other one posts."""
    colleague = Client()
    colleague.force_login(User.objects.create_superuser("ann", "ann@example.com", "x"))
    mine = typed_in(admin_client, edition, subject="Mine")
    colleague.post(change_url(edition), typed_in(colleague, edition, subject="Ann's"))
    return mine


def test_the_conflict_page_names_who_and_what(admin_client, edition, conflict):
    page = admin_client.post(change_url(edition), conflict)

    text = page.content.decode()
    assert "Changed by ann, " in text
    assert "(Changed Subject)." in text
    assert "Yours differs in: subject." in text
    assert subject_in(page) == "Mine"
    assert "Take theirs" in text


def test_an_editor_may_save_theirs_over_what_they_were_shown(admin_client, edition, conflict):
    page = admin_client.post(change_url(edition), conflict)

    over = {"over": page.context["seen"]}
    Edition.objects.filter(pk=edition.pk).update(preheader="Changed once more")
    again = admin_client.post(change_url(edition), conflict | over)
    assert "It was changed by a program" not in again.content.decode()
    assert "Somebody else changed" in again.content.decode()

    over = {"over": again.context["seen"]}
    saved = admin_client.post(change_url(edition), conflict | over, follow=True)
    assert "Saved." in messages_of(saved)
    edition.refresh_from_db()
    assert edition.subject == "Mine"
