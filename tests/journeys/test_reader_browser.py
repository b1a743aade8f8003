"""A reader's whole way through a real browser, a real worker and a real relay."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from subscribers import signed_links
from subscribers.consent.record import NO_ORIGIN
from subscribers.models import Consent, Subscription
from subscribers.signup import flow
from tests import factories
from tests.subscribers.preferences.conftest import data_link
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def newsletter(page, settings, quick_forms):
    """Return a newsletter whose pages show all they can, in a colour that is hard to read."""
    newsletter = factories.newsletter(
        name="The Daily Briefing",
        slug="daily",
        promise="Five stories before breakfast, picked by our editors.",
        description="Every morning at seven.\n\nNo advertising, no tracking of what you read.",
        accent_color="#ffc400",
    )
    factories.schedule(newsletter)
    for name in ("World", "Business", "Science"):
        factories.section(newsletter, name=name)
    factories.publish(
        factories.edition(newsletter, stories=6, subject="Rain before seven, fine by eleven")
    )
    return newsletter


def href(mail, name):
    """Return the path of the link of this kind in the mail's HTML, for the live server."""
    return re.search(rf'href="http://[^"/]+(/{name}/[^"]+)"', mail.part("html"))[1]


def test_a_reader_signs_up_confirms_chooses_unsubscribes_and_resubscribes(
    page, worker, relay, newsletter
):
    page.goto("/")
    page.get_by_role("link", name="The Daily Briefing").click()
    page.get_by_label("E-mail address").fill("ann@example.com")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()

    mail = relay.wait_for_mail("ann@example.com")
    assert len(relay.received) == 1
    page.goto(href(mail, "confirm"))
    assert Subscription.objects.get().status == "pending"
    page.get_by_role("button", name="Confirm my subscription").click()
    page.get_by_role("heading", name="You are subscribed").wait_for()
    page.get_by_text("at 07:00").wait_for()
    assert Subscription.objects.get().status == "active"

    page.get_by_role("link", name="Choose your sections").click()
    page.get_by_label("Business").uncheck()
    page.get_by_role("button", name="Save · The Daily Briefing").click()
    page.locator(".note").get_by_text("Saved.").wait_for()
    assert len(Subscription.objects.get().muted_sections) == 1

    page.get_by_role("button", name="Unsubscribe from The Daily Briefing").click()
    page.get_by_role("heading", name="You have unsubscribed").wait_for()
    assert Subscription.objects.get().status == "unsubscribed"
    page.get_by_role("button", name="Keep sending me The Daily Briefing").click()
    page.get_by_role("heading", name="Welcome back").wait_for()
    assert Subscription.objects.get().status == "active"
    kinds = Consent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["signup", "confirmation", "change", "withdrawal", "confirmation"]


def test_signing_up_and_confirming_work_without_javascript_and_by_keyboard(
    no_script_page, worker, relay, newsletter
):
    page = no_script_page
    page.goto(newsletter.get_absolute_url())
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("name") == "email"
    page.keyboard.type("bob@example.com")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Check your inbox").wait_for()

    page.goto(href(relay.wait_for_mail("bob@example.com"), "confirm"))
    page.get_by_role("button", name="Confirm my subscription").press("Enter")
    page.get_by_role("heading", name="You are subscribed").wait_for()


def test_an_expired_link_brings_a_fresh_mail(page, worker, relay, newsletter):
    pending = factories.subscription(
        newsletter, "cy@example.com", status="pending", confirmed_at=None
    )
    old = signed_links.confirm_token(pending, now=timezone.now() - timedelta(hours=73))
    page.goto(reverse("confirm", args=[old]))
    page.get_by_role("button", name="Send me a fresh link").click()
    page.get_by_role("heading", name="Check your inbox").wait_for()

    page.goto(href(relay.wait_for_mail("cy@example.com"), "confirm"))
    page.get_by_role("button", name="Confirm my subscription").click()
    page.get_by_role("heading", name="You are subscribed").wait_for()


def test_an_invalid_address_is_explained_beside_the_field(page, newsletter):
    page.goto(newsletter.get_absolute_url())
    page.get_by_label("E-mail address").fill("ann@example")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("alert").wait_for()

    field = page.get_by_label("E-mail address")
    assert field.input_value() == "ann@example"
    assert page.locator(":focus").get_attribute("name") == "email"
    described = field.get_attribute("aria-describedby").split()[0]
    assert page.locator(f"#{described}").is_visible()


def paths(newsletter):
    """Return the path of every page that a reader can reach."""
    active = factories.subscription(newsletter, "active@example.com")
    waiting = factories.subscription(
        newsletter, "waiting@example.com", status="pending", confirmed_at=None
    )
    old = timezone.now() - timedelta(hours=73)
    preferences = reverse("preferences", args=[signed_links.preferences_token(active)])
    return {
        "home": reverse("home"),
        "newsletter": newsletter.get_absolute_url(),
        "check-your-inbox": reverse("signup-done", args=[newsletter.slug]),
        "confirm": reverse("confirm", args=[signed_links.confirm_token(waiting)]),
        "confirmed": reverse("confirm", args=[signed_links.confirm_token(active)]),
        "expired": reverse("confirm", args=[signed_links.confirm_token(waiting, now=old)]),
        "bad-link": reverse("confirm", args=["nothing"]),
        "preferences": f"{preferences}?done=newsletter-{active.pk}",
        "unsubscribe": reverse("unsubscribe", args=[signed_links.unsubscribe_token(active.pk)]),
        "erase": data_link(active, "erase-me"),
        "lost-link": reverse("lost-link"),
        "lost-link-sent": reverse("lost-link-sent"),
        "unknown": "/nothing/at/all/",
    }


def test_every_page_passes_axe_and_never_scrolls_sideways(page, newsletter):
    for name, path in paths(newsletter).items():
        page.goto(path)
        for width in (320, 375, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
        assert_accessible(page, name)
    page.goto(newsletter.get_absolute_url())
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("alert").wait_for()
    assert_accessible(page, "an invalid address")


def assert_accessible(page, name):
    for scheme in ("light", "dark"):
        set_colour_scheme(page, scheme)
        assert axe_violations(page) == [], (name, scheme)


def test_the_mails_are_accessible_and_fit_a_phone(page, worker, relay, newsletter):
    known = factories.subscription(newsletter, "known@example.com")
    for email in ("new@example.com", known.subscriber.email):
        flow.sign_up(newsletter=newsletter, email=email, origin=NO_ORIGIN, now=timezone.now())
        html = relay.wait_for_mail(email).part("html")
        for width in (320, 375, 600):
            page.set_viewport_size({"width": width, "height": 800})
            page.set_content(html)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(page, email)
