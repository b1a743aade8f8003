"""The sign-up form in a real browser offers corrections and solves challenges unseen."""

from urllib.parse import urlsplit

import pytest

from subscribers.models import Subscriber
from tests import factories
from tests.support.browser import axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def newsletter(page, settings, quick_forms):
    return factories.newsletter(name="The Daily Briefing", slug="daily", accent_color="#ffc400")


def enter(page, email):
    page.goto("/newsletters/daily/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Sign up").click()


def emails_after_sign_up(page):
    page.get_by_role("heading", name="Check your inbox").wait_for()
    return [reader.email for reader in Subscriber.objects.all()]


@pytest.mark.parametrize(
    ("button", "stored"),
    [("Use ann@gmail.com", "ann@gmail.com"), ("Keep ann@gmial.com", "ann@gmial.com")],
)
def test_a_typo_is_corrected_or_kept_with_one_press(page, newsletter, button, stored):
    enter(page, "ann@gmial.com")
    page.get_by_role("alert").wait_for()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375

    page.get_by_role("button", name=button).click()

    assert emails_after_sign_up(page) == [stored]


def test_the_enter_key_sends_the_address_that_was_corrected_in_the_field(page, newsletter):
    enter(page, "ann@gmial.com")
    page.get_by_role("alert").wait_for()
    field = page.get_by_label("E-mail address")
    field.fill("ann@example.com")
    field.press("Enter")

    assert emails_after_sign_up(page) == ["ann@example.com"]


def test_a_correction_is_offered_without_javascript_too(no_script_page, newsletter):
    enter(no_script_page, "ann@gmial.com")
    no_script_page.get_by_role("button", name="Use ann@gmail.com").click()

    assert emails_after_sign_up(no_script_page) == ["ann@gmail.com"]


def test_the_browser_solves_a_challenge_while_the_reader_types(
    page, newsletter, settings, live_server
):
    settings.SIGNUP_CHALLENGE = "always"
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(urlsplit(request.url).hostname))
    page.goto("/newsletters/daily/")
    assert axe_violations(page) == []

    enter(page, "ann@example.com")

    assert emails_after_sign_up(page) == ["ann@example.com"]
    assert set(problems) == {urlsplit(live_server.url).hostname}


def test_a_page_opened_before_challenges_began_asks_for_one_more_press(page, newsletter, settings):
    page.goto("/newsletters/daily/")
    settings.SIGNUP_CHALLENGE = "always"
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_text("Very many people are signing up just now").wait_for()
    assert axe_violations(page) == []

    page.get_by_role("button", name="Sign up").click()

    assert emails_after_sign_up(page) == ["ann@example.com"]


def test_a_reader_without_javascript_is_told_why_it_is_needed(no_script_page, newsletter, settings):
    settings.SIGNUP_CHALLENGE = "always"
    no_script_page.goto("/newsletters/daily/")

    assert "needs JavaScript" in no_script_page.inner_text("form")
