"""The preferences page works in a real browser, without JavaScript too, and is accessible."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from subscribers import signed_links
from subscribers.models import Consent, Subscriber, Subscription
from subscribers.preferences import address_change
from tests import factories
from tests.subscribers.preferences.conftest import data_link, link, unsubscribe_link
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def reader():
    """Return a reader whose first newsletter has every choice, one is paused and one has ended."""
    daily = factories.newsletter(name="The Daily Briefing", slug="daily", accent_color="#ffc400")
    for name in ("World", "Business", "Science"):
        factories.section(daily, name=name)
    factories.schedule(daily, clock="reader")
    factories.schedule(daily, name="Week", cadence="weekly", weekdays=[5])
    subscription = factories.subscription(daily, "ann@example.com")
    for slug, fields in (
        ("evening", {"paused_until": timezone.now() + timedelta(days=9)}),
        ("markets", {"status": "unsubscribed", "ended_at": timezone.now()}),
    ):
        newsletter = factories.newsletter(name=slug.title(), slug=slug)
        factories.second_subscription(subscription.subscriber, newsletter, **fields)
    factories.newsletter(name="Weekend", slug="weekend")
    return subscription


def card(page, subscription):
    return page.locator(f"#newsletter-{subscription.pk}")


def refreshed(row):
    row.refresh_from_db()
    return row


# --- Without a page load ------------------------------------------------------------------------


def test_choices_are_saved_without_a_page_load(page, reader):
    page.goto(link(reader))
    page.evaluate("window.stayed = true")
    mine = card(page, reader)
    mine.get_by_label("Business").uncheck()
    mine.get_by_label("Once a week").check()
    mine.get_by_label("At what time").select_option("09:00")
    mine.get_by_role("button", name="Save").press("Enter")
    mine.get_by_text("Saved. It holds from your next edition on.").wait_for()

    assert page.evaluate("window.stayed")
    assert page.url.endswith(link(reader))
    saved = refreshed(reader)
    assert (saved.frequency, len(saved.muted_sections)) == ("weekly", 1)
    assert f"{saved.preferred_time:%H:%M}" == "09:00"
    # The focus has not moved, and a screen reader reads out what happened.
    assert page.locator(":focus").get_attribute("id") == f"newsletter-{reader.pk}-save"
    assert "Saved" in page.get_by_role("status").inner_text()
    assert axe_violations(page) == []
    # After another change, which is not saved, the page no longer says so.
    mine.get_by_label("Business").check()
    assert mine.get_by_text("Saved.").count() == 0


def test_half_written_input_elsewhere_on_the_page_stays(page, reader):
    page.goto(link(reader))
    page.get_by_label("New address").fill("half@writ")
    card(page, reader).get_by_role("button", name="Save").click()
    card(page, reader).get_by_text("Saved.").wait_for()

    assert page.get_by_label("New address").input_value() == "half@writ"


def test_an_error_is_explained_without_a_page_load(page, reader):
    page.goto(link(reader))
    page.evaluate("window.stayed = true")
    mine = card(page, reader)
    for name in ("World", "Business", "Science"):
        mine.get_by_label(name).uncheck()
    mine.get_by_role("button", name="Save").click()
    mine.get_by_text("Choose at least one section").wait_for()

    focus = page.evaluate("document.activeElement.name")
    assert (focus, page.evaluate("window.stayed")) == ("wanted", True)
    assert refreshed(reader).muted_sections == []
    assert axe_violations(page) == []


def test_a_reader_pauses_and_ends_the_pause(page, reader):
    page.goto(link(reader))
    mine = card(page, reader)
    mine.get_by_text("Take a break").click()
    mine.get_by_role("button", name="2 weeks").click()
    mine.get_by_text("Paused. It comes again from").wait_for()
    assert refreshed(reader).paused_until > timezone.now() + timedelta(days=13)

    mine.get_by_role("button", name="Begin again now").click()
    mine.get_by_text("Take a break").wait_for()
    assert refreshed(reader).paused_until is None


@pytest.mark.parametrize("by", ["button", "key"])
def test_a_reader_pauses_until_a_day(page, reader, by):
    page.goto(link(reader))
    mine = card(page, reader)
    mine.get_by_text("Take a break").click()
    day = (timezone.now() + timedelta(days=40)).date()
    field = mine.get_by_label("Until a day of your choice")
    field.fill(day.isoformat())
    if by == "button":
        mine.get_by_role("button", name="Pause", exact=True).click()
    else:
        field.press("Enter")
    mine.get_by_text("Paused. It comes again from").wait_for()

    assert refreshed(reader).paused_until.date() == day


def test_the_time_zone_of_the_device_is_offered(browser, live_server, settings, reader):
    settings.SITE_URL = live_server.url
    context = browser.new_context(base_url=live_server.url, timezone_id="Asia/Kolkata")
    page = context.new_page()
    page.goto(link(reader))
    page.get_by_role("button", name="Use Kolkata").click()
    page.locator("#you-save").click()
    page.locator("#you").get_by_text("Saved.").wait_for()

    assert Subscriber.objects.get().timezone == "Asia/Kolkata"
    assert card(page, reader).get_by_text("By the clock of Kolkata").is_visible()
    assert not page.get_by_text("This device is set to another").is_visible()
    context.close()


def test_another_language_reloads_the_page_in_it(page, reader):
    page.goto(link(reader))
    page.get_by_label("Language of pages and mails").select_option("ar")
    page.locator("#you-save").click()
    page.wait_for_selector("html[lang=ar][dir=rtl]")

    assert Subscriber.objects.get().language == "ar"


def test_a_choice_made_while_offline_can_be_saved_later(page, reader):
    page.goto(link(reader))
    page.context.set_offline(True)
    mine = card(page, reader)
    mine.get_by_label("Business").uncheck()
    mine.get_by_role("button", name="Save").click()
    mine.get_by_text("That did not go through.").wait_for()
    assert not mine.get_by_label("Business").is_checked()

    page.context.set_offline(False)
    mine.get_by_role("button", name="Save").click()
    mine.get_by_text("Saved.").wait_for()
    assert len(refreshed(reader).muted_sections) == 1


def test_a_reader_joins_another_newsletter_and_unsubscribes_from_all(page, reader):
    page.goto(link(reader))
    page.get_by_role("button", name="Sign up · Weekend").click()
    page.get_by_text("It begins once you confirm it").wait_for()
    page.get_by_role("button", name="Unsubscribe from all newsletters").click()
    page.get_by_text("You have unsubscribed").nth(2).wait_for()

    assert not Subscription.objects.filter(status="active").exists()


# --- Without JavaScript -------------------------------------------------------------------------


def test_the_whole_page_works_without_javascript(no_script_page, reader):
    plain = no_script_page
    plain.goto(link(reader))
    mine = card(plain, reader)
    mine.get_by_label("Business").uncheck()
    mine.get_by_role("button", name="Save").click()
    mine.get_by_text("Saved.").wait_for()
    assert plain.url.endswith(f"#newsletter-{reader.pk}")

    mine.get_by_text("Take a break").click()
    mine.get_by_role("button", name="4 weeks").click()
    mine.get_by_text("Paused.").wait_for()
    plain.get_by_label("Time zone").select_option("Europe/Paris")
    plain.locator("#you-save").click()
    plain.locator("#you").get_by_text("Saved.").wait_for()
    plain.get_by_label("New address").fill("new@example.org")
    plain.get_by_role("button", name="Change").click()
    plain.get_by_text("You asked for").wait_for()
    plain.get_by_role("button", name="Keep the old address").click()
    plain.get_by_label("New address").wait_for()

    saved = refreshed(reader)
    assert (len(saved.muted_sections), saved.subscriber.timezone) == (1, "Europe/Paris")
    assert saved.paused_until


def test_a_reader_unsubscribes_says_why_and_resubscribes_without_javascript(no_script_page, reader):
    plain = no_script_page
    plain.goto(unsubscribe_link(reader))
    plain.get_by_role("button", name="Unsubscribe").click()
    plain.get_by_label("Too many mails").wait_for()
    assert refreshed(reader).status == "unsubscribed"
    plain.get_by_label("Too many mails").check()
    plain.get_by_role("button", name="Send", exact=True).click()
    plain.get_by_text("Thank you").wait_for()
    assert refreshed(reader).ended_why == "too-many"

    plain.get_by_role("button", name="Once a week").click()
    plain.get_by_role("heading", name="Welcome back").wait_for()
    saved = refreshed(reader)
    assert (saved.status, saved.frequency) == ("active", "weekly")


# --- With mails ---------------------------------------------------------------------------------


def link_in(mail, name):
    """Return the path of the link of this kind in the mail, for the live server."""
    return re.search(rf'href="http://[^"/]+(/{name}/[^"]+)"', mail.part("html"))[1]


def test_the_reason_for_unsubscribing_is_sent_without_a_page_load(page, reader):
    page.goto(unsubscribe_link(reader))
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_label("I read the news elsewhere").check()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("heading", name="Thank you").wait_for()
    assert page.url.endswith(unsubscribe_link(reader))

    page.get_by_role("button", name="1 week").click()
    page.get_by_text("takes a break").wait_for()
    assert refreshed(reader).paused_until > timezone.now()


def test_an_address_change_is_confirmed_from_both_mailboxes(page, worker, relay, reader):
    page.goto(link(reader))
    page.get_by_label("New address").fill("new@example.org")
    page.get_by_role("button", name="Change").click()
    page.locator("#address .state").wait_for()

    page.goto(link_in(relay.wait_for_mail("ann@example.com"), "address"))
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("heading", name="One more yes").wait_for()
    page.goto(link_in(relay.wait_for_mail("new@example.org"), "address"))
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("heading", name="Done").wait_for()

    assert Subscriber.objects.get().email == "new@example.org"


def test_a_lost_link_comes_by_mail(page, worker, relay, reader, quick_forms):
    page.goto("/preferences/nothing/")
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()

    page.goto(link_in(relay.wait_for_mail("ann@example.com"), "preferences"))
    page.get_by_text("ann@example.com").first.wait_for()


def test_the_browser_solves_a_challenge_before_the_link_is_sent(
    page, worker, relay, settings, reader, quick_forms
):
    settings.SIGNUP_CHALLENGE = "always"
    page.goto(reverse("lost-link"))
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()

    relay.wait_for_mail("ann@example.com")


def test_a_reader_is_erased_by_a_mail_and_after_being_asked_once_more(page, worker, relay, reader):
    page.goto(link(reader))
    page.get_by_role("link", name="See, download or erase it").click()
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()
    message = relay.wait_for_mail("ann@example.com")
    page.goto(link_in(message, "data"))
    page.get_by_role("link", name="Erase me").click()
    page.get_by_role("button", name="Erase me").wait_for()
    assert Subscriber.objects.get().erased_at is None
    page.get_by_role("button", name="Erase me").click()
    page.get_by_role("heading", name="You are erased").wait_for()

    assert Subscriber.objects.get().email.endswith("@erased.invalid")
    assert not Consent.objects.exists()
    page.goto(link(reader))
    page.get_by_role("heading", name="This link does not work").wait_for()


# --- Accessibility ------------------------------------------------------------------------------


def paths(reader):
    change = address_change.request_change(
        subscription_id=reader.pk, email="new@example.org", now=timezone.now()
    )
    expired = signed_links.address_change_token(
        change.pk, "old", now=timezone.now() - timedelta(hours=73)
    )
    sides = {
        side: reverse(
            "address-change",
            args=[signed_links.address_change_token(change.pk, side, now=timezone.now())],
        )
        for side in ("old", "new")
    }
    return {
        "preferences": f"{link(reader)}?done=newsletter-{reader.pk}",
        "address-change": f"{link(reader)}?done=address",
        "erase": data_link(reader, "erase-me"),
        "data-request": f"{link(reader)}data/",
        "data-request-asked": f"{link(reader)}data/?asked=1",
        "lost-link": reverse("lost-link"),
        "lost-link-sent": reverse("lost-link-sent"),
        "address-change-expired": reverse("address-change", args=[expired]),
        **sides,
    }


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_passes_axe_and_never_scrolls_sideways(page, reader, language):
    Subscriber.objects.update(language=language)
    for name, path in paths(reader).items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        assert_fits(page, name)
        assert_accessible(page, name)
    page.goto(unsubscribe_link(reader))
    assert_accessible(page, "unsubscribe")
    page.locator("main form button").click()
    page.locator("#why").wait_for()
    assert_fits(page, "unsubscribed")
    assert_accessible(page, "unsubscribed")
    page.locator("#offers button").last.click()
    page.locator("#offers").wait_for(state="detached")
    assert_accessible(page, "resubscribed")


def assert_fits(page, name):
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


def assert_accessible(page, name):
    for scheme in ("light", "dark"):
        set_colour_scheme(page, scheme)
        assert axe_violations(page) == [], (name, scheme)
