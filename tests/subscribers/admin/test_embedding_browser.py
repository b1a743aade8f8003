"""An editor builds a snippet in a real browser: the preview follows, and the snippet works."""

import pytest
from django.urls import reverse

from subscribers.models import Subscription
from tests import factories
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def builder(admin_page):
    """Return the builder's page, in an editor's desktop size."""
    newsletter = factories.newsletter(name="EconoTimes", slug="econo")
    admin_page.goto(reverse("admin:subscribers_newsletter_snippet", args=[newsletter.pk]))
    admin_page.get_by_role("button", name="Copy").wait_for()
    return admin_page


def preview(page):
    return page.frame_locator("iframe[title=Preview]")


def code(page):
    return page.locator("#code").input_value()


def test_the_preview_follows_the_form(builder):
    preview(builder).get_by_role("heading", name="Get EconoTimes by e-mail").wait_for()
    builder.get_by_label("Title").press_sequentially("Wake up wiser", delay=20)
    preview(builder).get_by_role("heading", name="Wake up wiser").wait_for()
    assert 'data-title="Wake up wiser"' in code(builder)

    builder.get_by_label("What to embed").select_option("popup")
    preview(builder).get_by_role("dialog").wait_for()
    builder.get_by_label("Button").press_sequentially("Join us", delay=20)
    preview(builder).get_by_role("button", name="Join us").wait_for()
    assert builder.evaluate("document.activeElement.name") == "button"
    assert 'data-button="Join us"' in code(builder)


def test_the_newsletters_page_links_to_the_builder(admin_page):
    newsletter = factories.newsletter()
    admin_page.goto(reverse("admin:subscribers_newsletter_change", args=[newsletter.pk]))
    admin_page.get_by_role("link", name="Embed the form").first.click()
    admin_page.get_by_role("button", name="Copy").wait_for()


def test_nothing_typed_into_the_preview_is_sent(builder):
    inside = preview(builder)
    inside.get_by_label("E-mail address").fill("editor@example.com")
    inside.get_by_role("button", name="Sign up").click()
    inside.get_by_role("heading", name="Check your inbox").wait_for()

    assert not Subscription.objects.exists()
    assert builder.evaluate("localStorage.getItem('daybreak:econo')") is None


def test_the_copied_snippet_works_on_another_site(builder, web):
    builder.context.grant_permissions(["clipboard-read", "clipboard-write"])
    builder.get_by_label("Title").fill('Say "hello"')
    preview(builder).get_by_role("heading", name='Say "hello"').wait_for()
    builder.get_by_role("button", name="Copy").click()
    builder.get_by_text("Copied.").wait_for()
    line = builder.evaluate("navigator.clipboard.readText()")

    page = builder.context.new_page()
    body = f"<!doctype html><html lang=en><title>x</title><body>{line}"
    page.goto(web.serve("/", body.encode(), headers={"Content-Type": "text/html"}))
    page.get_by_role("heading", name='Say "hello"').wait_for()


def test_an_error_message_disappears_once_the_value_is_corrected(builder):
    builder.get_by_label("Accent").fill("#12")
    builder.get_by_text("Accent: Write the colour like #0b57d0.").wait_for()
    builder.get_by_label("Accent").fill("#123456")
    builder.get_by_text("Accent: Write").wait_for(state="hidden")


@pytest.mark.parametrize("kind", ["inline", "popup", "frame", "plain"])
def test_the_builder_fits_the_window_and_axe_finds_only_unfolds_own_violations(builder, kind):
    if kind != "inline":
        builder.get_by_label("What to embed").select_option(kind)
        builder.locator(f"iframe[title=Preview][src*='kind={kind}']").wait_for()
    preview(builder).locator("h1").wait_for()
    for scheme in ("light", "dark"):
        set_colour_scheme(builder, scheme)
        builder.set_viewport_size({"width": 1280, "height": 900})
        assert [v for v in axe_violations(builder) if not v.startswith("region:")] == [], scheme
        for width in (320, 1280):
            builder.set_viewport_size({"width": width, "height": 800})
            assert builder.evaluate("document.documentElement.scrollWidth") <= width
