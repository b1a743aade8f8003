"""An editor reorders, rewords, previews, approves and sends an edition in a real browser."""

import itertools
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.timezone import now

from digest.models import Edition
from tests import factories
from tests.support.browser import axe_violations, set_colour_scheme, speed_up_polling
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def edition(transactional_db):
    newsletter = factories.newsletter(timezone="Europe/London")
    section = factories.section(newsletter, name="World")
    factories.subscription(newsletter, "reader@example.com")
    edition = factories.edition(
        newsletter,
        stories=0,
        preheader="And more.",
        sends_at=now() + timedelta(hours=2),
        deadline_at=now() + timedelta(hours=5),
    )
    for position, title in enumerate(["Ferry reopens", "Bank holds rates", "School meals free"]):
        factories.item(
            edition,
            factories.story(newsletter, title=title, section=section),
            position=position,
            section=section,
        )
    return edition


def change_url(edition):
    return reverse("admin:digest_edition_change", args=[edition.pk])


@pytest.fixture
def edition_page(admin_page, edition):
    """Return the browser page that shows the edition, in an editor's desktop size."""
    admin_page.goto(change_url(edition))
    return admin_page


def shown_titles(page):
    return page.locator(".admin-item .admin-meta a").all_inner_texts()


def saved_titles(edition):
    return [item.story.title for item in edition.items.select_related("story")]


def press(page, name):
    """Press a button that leads to another page, and wait until that page is there."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def test_an_edition_goes_from_the_editors_login_to_the_readers_inbox(page, edition, worker, relay):
    User.objects.create_superuser("editor", "editor@example.com", "a long password")
    page.set_viewport_size({"width": 1280, "height": 900})
    speed_up_polling(page)
    page.goto(change_url(edition))
    page.fill("input[name=username]", "editor")
    page.fill("input[name=password]", "a long password")
    page.click("button[type=submit]")
    page.wait_for_selector(".admin-list")

    page.get_by_role("button", name="Move up: School meals free").press("Enter")
    assert shown_titles(page) == ["Ferry reopens", "School meals free", "Bank holds rates"]
    page.get_by_label("Headline of “Ferry reopens”").fill("The ferry sails again")

    press(page, "Save and preview")
    mail = page.frame_locator("iframe[title='The HTML mail']")
    mail.get_by_text("The ferry sails again").first.wait_for()
    page.get_by_role("link", name="Phone").click()
    page.wait_for_url("**phone=1**")
    page.get_by_role("link", name="Back to the edition").click()
    page.wait_for_selector(".admin-list")

    press(page, "Save and approve")
    assert page.get_by_text("Saved and approved.").is_visible()
    assert saved_titles(edition) == ["Ferry reopens", "School meals free", "Bank holds rates"]

    press(page, "Send now…")
    # The page reloads itself when the worker has begun or ended, which takes away what it said
    # first. So it learns of that only later.
    polls = re.compile(r"/progress/\?was=")
    page.route(polls, lambda route: route.abort())
    press(page, "Send to 1 reader now")
    assert page.get_by_text("It is on its way.").is_visible()
    page.unroute(polls)

    received = relay.wait_for_mail("reader@example.com")
    assert "The ferry sails again" in received.part("html")
    text = received.part("plain")
    assert text.index("School meals free") < text.index("Bank holds rates")
    wait_for(lambda: Edition.objects.get().status == Edition.Status.SENT, what="the edition sent")
    # The page reloads itself when the sending ends.
    page.get_by_text("1 of 1").wait_for()
    assert page.get_by_role("button", name="Save and approve").count() == 0


def test_stories_are_dragged_into_order(edition_page, edition):
    page = edition_page
    page.evaluate("document.querySelector('.admin-list').scrollIntoView({block: 'center'})")
    handle = page.locator(".admin-item .admin-handle").nth(2).bounding_box()
    target = page.locator(".admin-item").nth(0).bounding_box()
    page.mouse.move(handle["x"] + 8, handle["y"] + 8)
    page.mouse.down()
    page.mouse.move(handle["x"] + 8, handle["y"] - 20, steps=5)
    to_and_fro = itertools.cycle([20, 24])

    def lies_on_top():
        """The list makes room while the mouse moves; then an editor releases the button."""
        page.mouse.move(target["x"] + next(to_and_fro), target["y"] + 10, steps=5)
        return shown_titles(page)[0] == "School meals free"

    wait_for(lies_on_top, what="the list to make room")
    page.mouse.up()
    assert shown_titles(page)[0] == "School meals free"

    press(page, "Save and continue editing")

    assert saved_titles(edition)[0] == "School meals free"


def test_enter_in_a_field_saves_and_does_nothing_else(edition_page, edition):
    edition_page.fill("#id_subject", "Typed, then Enter")
    with edition_page.expect_navigation():
        edition_page.press("#id_subject", "Enter")

    assert Edition.objects.get().subject == "Typed, then Enter"
    assert Edition.objects.get().status == Edition.Status.DRAFT
    assert edition_page.locator(".admin-list").is_visible()


def test_a_story_is_found_by_typing_and_added(edition_page, edition):
    factories.story(edition.newsletter, title="Observatory opens its dome")

    edition_page.get_by_role("searchbox", name="Find a story").fill("dome")
    edition_page.get_by_role("option", name="Observatory opens its dome").click()
    press(edition_page, "Save and continue editing")

    assert saved_titles(edition)[-1] == "Observatory opens its dome"


# This violation is unfold's own, on every page: its header is outside of any landmark.
UNFOLDS_OWN = {"region"}


def our_violations(page):
    return [v for v in axe_violations(page) if v.partition(":")[0] not in UNFOLDS_OWN]


def test_axe_finds_nothing_on_the_editions_page_in_light_and_dark(admin_page, edition):
    admin_page.emulate_media(color_scheme="dark")
    admin_page.goto(change_url(edition))
    admin_page.wait_for_selector("[aria-label='Find a story']")
    assert admin_page.locator("html").get_attribute("class") == "dark"
    assert our_violations(admin_page) == []

    set_colour_scheme(admin_page, "light")
    assert our_violations(admin_page) == []


def test_the_editions_page_fits_a_phone(edition_page):
    for width in (320, 375):
        edition_page.set_viewport_size({"width": width, "height": 700})
        assert edition_page.evaluate("document.documentElement.scrollWidth") <= width, width
