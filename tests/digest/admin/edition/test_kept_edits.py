"""What an editor typed is there after a log-in."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from digest.models import Edition
from subscribers.plumbing import kept_edits
from tests import factories
from tests.digest.admin.edition.test_page import change_url, fields_of, form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def edition():
    return factories.edition(factories.newsletter(timezone="Europe/London"), preheader="And more.")


def page_of(client, edition, **query):
    return client.get(change_url(edition), query)


def subject_in(response):
    return response.context["adminform"].form["subject"].value()


@pytest.fixture
def lost(admin_client, editor, edition):
    """An edit that was saved when the session had ended; the editor has logged in again."""
    data = form_of(admin_client, edition) | {
        "subject": "Typed for an hour",
        "items-1-headline": "In my words",
        "items-2-position": "1",
        "_approve": "",
    }
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
    items = [str(item.pk) for item in edition.items.all()]
    assert re.findall(r'data-item="(\d+)"', text) == [items[2], items[0], items[1]]
    edition.refresh_from_db()
    assert (edition.subject, edition.status) != ("Typed for an hour", "approved")
    assert subject_in(page_of(admin_client, edition, saved=1)) == edition.subject


def test_a_change_of_a_colleagues_is_told_with_it_and_kept(admin_client, edition, lost):
    Edition.objects.filter(pk=edition.pk).update(note="Ann's note")

    page = page_of(admin_client, edition)
    text = page.content.decode()
    assert "Please correct" not in text
    assert "Somebody else changed this edition" in text
    admin_client.post(change_url(edition), fields_of(page))

    edition.refresh_from_db()
    assert (edition.subject, edition.note) == ("Typed for an hour", "Ann's note")


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
    data = form_of(browser, edition) | {"subject": "Typed for an hour"}

    data["csrfmiddlewaretoken"] = "x" * 64
    response = browser.post(change_url(edition), data)

    assert (response.status_code, response.url) == (302, change_url(edition))
    assert subject_in(page_of(browser, edition)) == "Typed for an hour"


@pytest.mark.parametrize("has_cookie", [True, False])
def test_a_form_that_cannot_be_kept_names_the_true_cause_in_the_admin(editor, has_cookie):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(editor)
    page = reverse("admin:subscribers_newsletter_add")
    browser.get(page)
    if not has_cookie:
        browser.cookies.pop("csrftoken")

    response = browser.post(page, {"csrfmiddlewaretoken": "x" * 64})

    text = response.content.decode()
    assert response.status_code == 403
    assert ("You have logged in again" in text, "Back to the overview" in text) == (has_cookie,) * 2
    assert ("did not send the cookie" in text) == (not has_cookie)


def test_nobody_else_sees_it(client, edition, lost):
    client.force_login(User.objects.create_superuser("other", "other@example.com", "x"))

    assert "Typed for an hour" not in page_of(client, edition).content.decode()


@pytest.mark.parametrize("lost", ["session", "session and cookies"])
def test_the_log_in_page_says_that_it_is_kept(edition, editor, lost):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(editor)
    data = form_of(browser, edition) | {"subject": "Typed for an hour"}
    data["csrfmiddlewaretoken"] = browser.cookies["csrftoken"].value
    browser.cookies.pop("sessionid")
    if lost == "session and cookies":
        browser.cookies.clear()

    page = browser.post(change_url(edition), data, follow=True)

    assert "Log in" in page.content.decode()
    assert kept_edits.IS_KEPT in page.content.decode()
    assert kept_edits.IS_KEPT not in browser.get(reverse("admin:login")).content.decode()


@pytest.mark.parametrize("fault", ["no note", "forged", "another edition's", "too long"])
def test_a_stranger_puts_nothing_there(admin_client, editor, edition, fault):
    data = form_of(admin_client, edition) | {"subject": "From a stranger"}
    owner = kept_edits.Owner(editor.pk, f"{change_url(edition)}x", 0)
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
