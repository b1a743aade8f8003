"""The front page, a newsletter's page, and the error pages."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.defaults import permission_denied, server_error

from subscribers.embed.contrast import accent_palette
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def page_of(client, newsletter):
    response = client.get(reverse("newsletter", args=[newsletter.slug]))
    assert response.status_code == 200
    return response.content.decode()


def test_the_front_page_lists_the_newsletters(client):
    listed = factories.newsletter(name="Morning & Noon", promise="Both <halves> of the day.")
    factories.newsletter(name="Backstage", is_listed=False)

    page = client.get("/").content.decode()

    assert "Morning &amp; Noon" in page
    assert "Both &lt;halves&gt; of the day." in page
    assert listed.get_absolute_url() in page
    assert "Backstage" not in page


def test_the_front_page_without_newsletters_says_so(client):
    assert "No newsletters yet" in client.get("/").content.decode()


def test_an_unlisted_newsletter_still_has_its_page(client):
    page = page_of(client, factories.newsletter(name="Backstage", is_listed=False))

    assert "Backstage" in page
    assert 'type="email"' in page


def test_the_page_shows_a_sample_of_the_latest_edition(client):
    newsletter = factories.newsletter()
    edition = factories.publish(
        factories.edition(newsletter, subject="Rain, then sun", slot_date=NOW.date())
    )

    page = page_of(client, newsletter)

    assert "Rain, then sun" in page
    assert "Tuesday 10 March 2026" in page
    for item in edition.items.all():
        assert item.shown_headline in page


def test_the_page_says_when_the_next_edition_comes(client):
    newsletter = factories.newsletter(timezone="America/New_York")
    assert "Next edition" not in page_of(client, newsletter)

    factories.schedule(newsletter)

    assert re.search(r"Next edition <time .*, 07:00 E[SD]T</time>", page_of(client, newsletter))


def test_a_draft_is_not_shown(client):
    newsletter = factories.newsletter()
    factories.edition(newsletter, subject="Not yet")

    assert "Not yet" not in page_of(client, newsletter)


def test_a_newsletters_colour_is_adjusted_until_it_is_readable(client):
    newsletter = factories.newsletter(accent_color="#ffee00")

    page = page_of(client, newsletter)

    shades = accent_palette("#ffee00")
    assert f"--accent-light:{shades.light};--accent-dark:{shades.dark}" in page
    assert shades.light != "#ffee00"


def test_pages_cost_a_fixed_number_of_queries(client, django_assert_max_num_queries):
    newsletter = factories.newsletter()
    for _ in range(5):
        factories.newsletter()
    factories.publish(factories.edition(newsletter, stories=10))

    with django_assert_max_num_queries(1):
        client.get("/")
    with django_assert_max_num_queries(4):
        page_of(client, newsletter)


def test_an_unknown_newsletter_gets_a_friendly_page(client):
    response = client.get("/newsletters/nothing/")

    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_a_form_without_its_cookie_gets_a_friendly_page():
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(reverse("admin:login"), {"username": "ann"})

    assert response.status_code == 403
    assert "Please try that once more" in response.content.decode()


def test_signing_up_needs_no_cookie_and_sets_none():
    url = factories.newsletter().get_absolute_url()
    strict = Client(enforce_csrf_checks=True)

    page = strict.get(url)
    answer = strict.post(url, {"email": "ann@example.com"})

    assert answer.status_code == 302
    assert not page.cookies
    assert not answer.cookies


def test_errors_have_friendly_pages():
    request = RequestFactory().get("/")

    assert b"Something went wrong" in server_error(request).content
    assert b"This page is not for everyone" in permission_denied(request, Exception()).content
    assert "{%" not in render_to_string("500.html")


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client, method):
    newsletter = factories.newsletter()

    assert getattr(client, method)(newsletter.get_absolute_url()).status_code == 405
    assert getattr(client, method)("/").status_code == 405
