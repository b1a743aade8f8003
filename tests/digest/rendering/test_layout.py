"""The digest fits every screen and is accessible, in light and in dark mode."""

import pytest

from digest.models import Story
from tests import factories
from tests.digest.rendering.sample_edition import full_edition, message_to
from tests.support.browser import axe_violations, set_colour_scheme

pytestmark = [pytest.mark.django_db, pytest.mark.browser]

# The second is not readable on white as it is, and the third not on black.
ACCENTS = ["#0b57d0", "#ffe94d", "#1a0505"]


@pytest.fixture
def show(browser):
    """A function that shows the HTML in a browser page of the given width."""
    context = browser.new_context()
    # Images stay blocked, as they are in many inboxes.
    context.route("**/*", lambda route: route.abort())
    page = context.new_page()

    def show(html, *, width=600):
        page.set_viewport_size({"width": width, "height": 800})
        page.set_content(html, wait_until="domcontentloaded")
        return page

    yield show
    context.close()


def assert_accessible(page):
    for scheme in ("light", "dark"):
        set_colour_scheme(page, scheme)
        assert axe_violations(page) == [], scheme


BLOCKED_IMAGES = """[...document.images].map((image) => {
    const style = getComputedStyle(image), box = image.getBoundingClientRect();
    return {
        alt: image.alt, link: image.closest("a")?.href, height: box.height,
        lines: Math.round(box.height / parseFloat(style.lineHeight)),
        isReadable: parseFloat(style.lineHeight) >= 1.2 * parseFloat(style.fontSize),
    };
})"""


def test_blocked_images_show_their_whole_text_lead_to_their_stories_and_leave_no_empty_box(show):
    edition = full_edition()
    lead, *others = [item.story for item in edition.items.order_by("position")]
    long, silent = (story for story in others if story.image_url)
    factories.force_update(Story.objects.filter(pk=long.pk), image_alt="A ferry at its pier. " * 9)
    factories.force_update(Story.objects.filter(pk=silent.pk), image_alt="")

    page = show(message_to(edition).part("html"), width=375)
    # A browser shows the text only once it knows that the image does not come.
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    images = page.evaluate(BLOCKED_IMAGES)

    assert [image["link"] for image in images] == [lead.link, long.link, silent.link]
    assert all(image["isReadable"] for image in images)
    assert images[1]["lines"] > 10
    assert (images[2]["alt"], images[2]["height"]) == ("", 0)


@pytest.mark.parametrize("accent", ACCENTS)
def test_the_digest_has_no_axe_violations(show, accent):
    newsletter = factories.newsletter(accent_color=accent)
    html = message_to(full_edition(newsletter)).part("html")

    assert_accessible(show(html))


def test_the_web_version_has_no_axe_violations(show, client):
    html = client.get(factories.publish(full_edition()).get_absolute_url()).content.decode()

    assert_accessible(show(html))


def test_a_correction_without_stories_is_accessible_and_fits_a_phone(show):
    corrected = full_edition()
    correction = factories.edition(
        corrected.newsletter, stories=0, corrects=corrected, note="It sails on Friday.\n\nSorry."
    )
    page = show(message_to(correction).part("html"), width=320)

    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("language", ["en", "ar"])
def test_nothing_is_wider_than_the_screen(show, language):
    newsletter = factories.newsletter(language=language, name="Donaudampfschifffahrtsnachrichten")
    edition = full_edition(newsletter, note="w" * 200)
    long = factories.story(
        newsletter, title="Rindfleischetikettierung" * 8, summary="x" * 170, source_name="y" * 80
    )
    factories.item(edition, long, position=1)
    html = message_to(edition, email=f"{'a' * 60}@{'b' * 60}.example").part("html")
    for width in (320, 375, 600):
        page = show(html, width=width)

        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_is_at_most_600_pixels_wide(show):
    page = show(message_to(full_edition()).part("html"), width=1280)

    assert page.evaluate("document.querySelector('.paper').getBoundingClientRect().width") == 600


def test_the_page_is_dark_in_dark_mode(show):
    page = show(message_to(full_edition()).part("html"))
    set_colour_scheme(page, "dark")
    colour = "getComputedStyle(document.querySelector('.paper')).backgroundColor"

    assert page.evaluate(colour) == "rgb(27, 29, 33)"
