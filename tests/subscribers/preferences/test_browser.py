"""The preference centre in a real browser: with and without JavaScript, and for everybody."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from subscribers import tokens
from subscribers.models import Consent, Subscriber, Subscription
from subscribers.preferences import moving
from tests import factories
from tests.conftest import axe_violations, in_scheme
from tests.subscribers.preferences.conftest import leave_link, link

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def reader():
    """Of three newsletters, of which the first has all that can be chosen, and one was left."""
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


def fresh(row):
    row.refresh_from_db()
    return row


# --- Without a page jump ------------------------------------------------------------------------


def test_choices_are_saved_in_their_place(page, reader):
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
    saved = fresh(reader)
    assert (saved.frequency, len(saved.muted_sections)) == ("weekly", 1)
    assert f"{saved.preferred_time:%H:%M}" == "09:00"
    # The focus is where it was, and what happened is read out.
    assert page.locator(":focus").get_attribute("id") == f"newsletter-{reader.pk}-save"
    assert "Saved" in page.get_by_role("status").inner_text()
    assert axe_violations(page) == []
    # What is changed after that is not saved.
    mine.get_by_label("Business").check()
    assert mine.get_by_text("Saved.").count() == 0


def test_what_is_half_written_elsewhere_stays(page, reader):
    page.goto(link(reader))
    page.get_by_label("New address").fill("half@writ")
    card(page, reader).get_by_role("button", name="Save").click()
    card(page, reader).get_by_text("Saved.").wait_for()

    assert page.get_by_label("New address").input_value() == "half@writ"


def test_a_slip_is_explained_in_its_place(page, reader):
    page.goto(link(reader))
    page.evaluate("window.stayed = true")
    mine = card(page, reader)
    for name in ("World", "Business", "Science"):
        mine.get_by_label(name).uncheck()
    mine.get_by_role("button", name="Save").click()
    mine.get_by_text("Choose at least one section").wait_for()

    focus = page.evaluate("document.activeElement.name")
    assert (focus, page.evaluate("window.stayed")) == ("wanted", True)
    assert fresh(reader).muted_sections == []
    assert axe_violations(page) == []


def test_a_break_and_its_end(page, reader):
    page.goto(link(reader))
    mine = card(page, reader)
    mine.get_by_text("Take a break").click()
    mine.get_by_role("button", name="2 weeks").click()
    mine.get_by_text("Paused. It comes again from").wait_for()
    assert fresh(reader).paused_until > timezone.now() + timedelta(days=13)

    mine.get_by_role("button", name="Begin again now").click()
    mine.get_by_text("Take a break").wait_for()
    assert fresh(reader).paused_until is None


@pytest.mark.parametrize("by", ["button", "key"])
def test_until_a_day(page, reader, by):
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

    assert fresh(reader).paused_until.date() == day


def test_the_device_knows_its_time_zone(browser, live_server, settings, reader):
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


def test_another_language_is_another_page(page, reader):
    page.goto(link(reader))
    page.get_by_label("Language of pages and mails").select_option("ar")
    page.locator("#you-save").click()
    page.wait_for_selector("html[lang=ar][dir=rtl]")

    assert Subscriber.objects.get().language == "ar"


def test_without_the_network_nothing_is_lost(page, reader):
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
    assert len(fresh(reader).muted_sections) == 1


def test_another_newsletter_and_out_of_all(page, reader):
    page.goto(link(reader))
    page.get_by_role("button", name="Sign up · Weekend").click()
    page.get_by_text("It begins once you have confirmed it").wait_for()
    page.get_by_role("button", name="Unsubscribe from all newsletters").click()
    page.get_by_text("You have unsubscribed").nth(2).wait_for()

    assert not Subscription.objects.filter(status="active").exists()


# --- Without JavaScript -------------------------------------------------------------------------


def test_all_of_it_works_without_javascript(scriptless, reader):
    plain = scriptless
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

    saved = fresh(reader)
    assert (len(saved.muted_sections), saved.subscriber.timezone) == (1, "Europe/Paris")
    assert saved.paused_until


def test_leaving_why_and_back_without_javascript(scriptless, reader):
    plain = scriptless
    plain.goto(leave_link(reader))
    plain.get_by_role("button", name="Unsubscribe").click()
    plain.get_by_label("Too many mails").wait_for()
    assert fresh(reader).status == "unsubscribed"
    plain.get_by_label("Too many mails").check()
    plain.get_by_role("button", name="Send", exact=True).click()
    plain.get_by_text("Thank you").wait_for()
    assert fresh(reader).ended_why == "too-many"

    plain.get_by_role("button", name="Once a week").click()
    plain.get_by_role("heading", name="Welcome back").wait_for()
    saved = fresh(reader)
    assert (saved.status, saved.frequency) == ("active", "weekly")


# --- With mails ---------------------------------------------------------------------------------


def opened(mail, name):
    """The link of this kind in the mail, as the live server's path."""
    return re.search(rf'href="http://[^"/]+(/{name}/[^"]+)"', mail.part("html"))[1]


def test_the_reasons_are_sent_in_their_place(page, reader):
    page.goto(leave_link(reader))
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_label("I read the news elsewhere").check()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("heading", name="Thank you").wait_for()
    assert page.url.endswith(leave_link(reader))

    page.get_by_role("button", name="1 week").click()
    page.get_by_text("takes a break").wait_for()
    assert fresh(reader).paused_until > timezone.now()


def test_a_new_address_from_the_page_to_both_mailboxes(page, worker, relay, reader):
    page.goto(link(reader))
    page.get_by_label("New address").fill("new@example.org")
    page.get_by_role("button", name="Change").click()
    page.locator("#address .state").wait_for()

    page.goto(opened(relay.wait_for_mail("ann@example.com"), "address"))
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("heading", name="One more yes").wait_for()
    page.goto(opened(relay.wait_for_mail("new@example.org"), "address"))
    page.get_by_role("button", name="Yes").click()
    page.get_by_role("heading", name="Done").wait_for()

    assert Subscriber.objects.get().email == "new@example.org"


def test_a_lost_link_comes_by_mail(page, worker, relay, settings, reader):
    settings.SIGNUP_MIN_SECONDS = 0  # a browser that is driven is quicker than any reader
    page.goto("/preferences/nothing/")
    page.get_by_role("link", name="Send me a new link").click()
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()

    page.goto(opened(relay.wait_for_mail("ann@example.com"), "preferences"))
    page.get_by_text("ann@example.com").first.wait_for()


def test_under_attack_the_browser_solves_a_challenge_for_the_link(
    page, worker, relay, settings, reader
):
    settings.SIGNUP_CHALLENGE = "always"
    settings.SIGNUP_MIN_SECONDS = 0
    page.goto(reverse("lost-link"))
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()

    relay.wait_for_mail("ann@example.com")


def test_erased_after_being_asked_once_more(page, reader):
    page.goto(link(reader))
    page.get_by_role("link", name="Erase me").click()
    page.get_by_role("button", name="Erase me").wait_for()
    assert Subscriber.objects.get().erased_at is None
    page.get_by_role("button", name="Erase me").click()
    page.get_by_role("heading", name="You are erased").wait_for()

    assert Subscriber.objects.get().email.endswith("@erased.invalid")
    assert not Consent.objects.exists()
    page.goto(link(reader))
    page.get_by_role("heading", name="This link does not work").wait_for()


# --- For everybody ------------------------------------------------------------------------------


def paths(reader):
    change = moving.ask_to_move(
        subscription_id=reader.pk, email="new@example.org", now=timezone.now()
    )
    expired = tokens.change_token(change.pk, "old", now=timezone.now() - timedelta(hours=73))
    sides = {
        side: reverse("move", args=[tokens.change_token(change.pk, side, now=timezone.now())])
        for side in ("old", "new")
    }
    return {
        "preferences": f"{link(reader)}?done=newsletter-{reader.pk}",
        "moving": f"{link(reader)}?done=address",
        "erase": f"{link(reader)}erase/",
        "lost": reverse("lost-link"),
        "sent": reverse("lost-link-sent"),
        "expired": reverse("move", args=[expired]),
        **sides,
    }


@pytest.mark.parametrize("language", ["en", "ar"])
def test_axe_finds_nothing_and_nothing_sticks_out(page, reader, language):
    Subscriber.objects.update(language=language)
    for name, path in paths(reader).items():
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        fits(page, name)
        is_for_everybody(page, name)
    page.goto(leave_link(reader))
    is_for_everybody(page, "leaving")
    page.locator("main form button").click()
    page.locator("#why").wait_for()
    fits(page, "left")
    is_for_everybody(page, "left")
    page.locator("#offers button").last.click()
    page.locator("#offers").wait_for(state="detached")
    is_for_everybody(page, "back")


def fits(page, name):
    for width in (320, 375, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


def is_for_everybody(page, name):
    for scheme in ("light", "dark"):
        in_scheme(page, scheme)
        assert axe_violations(page) == [], (name, scheme)
