"""The digest fits every screen and can be read by everybody, by day and by night."""

import pytest

from tests import factories
from tests.conftest import axe_violations
from tests.rendering.pages import full_edition, message_to

pytestmark = [pytest.mark.django_db, pytest.mark.browser]

# A colour that is neither readable on white nor on black as it stands.
ACCENTS = ["#0b57d0", "#ffe94d", "#1a0505"]


@pytest.fixture
def show(browser):
    """Return a page with the HTML on it, as wide and in such light as told."""
    contexts = []

    def show(html, *, width=600, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        # Images stay blocked, as they are in many inboxes.
        context.route("**/*", lambda route: route.abort())
        page = context.new_page()
        page.set_content(html, wait_until="domcontentloaded")
        return page

    yield show
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ACCENTS)
def test_axe_finds_nothing(show, scheme, accent):
    newsletter = factories.newsletter(accent_color=accent)
    html = message_to(full_edition(newsletter)).part("html")

    assert axe_violations(show(html, scheme=scheme)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_web_version(show, client, scheme):
    html = client.get(factories.publish(full_edition()).get_absolute_url()).content.decode()

    assert axe_violations(show(html, scheme=scheme)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_correction_is_a_note_without_stories_and_fits(show, scheme):
    corrected = full_edition()
    correction = factories.edition(
        corrected.newsletter, stories=0, corrects=corrected, note="It sails on Friday.\n\nSorry."
    )
    page = show(message_to(correction).part("html"), width=320, scheme=scheme)

    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width", [320, 375, 600])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_nothing_is_wider_than_the_screen(show, width, language):
    newsletter = factories.newsletter(language=language, name="Donaudampfschifffahrtsnachrichten")
    edition = full_edition(newsletter, note="w" * 200)
    long = factories.story(
        newsletter, title="Rindfleischetikettierung" * 8, summary="x" * 170, source_name="y" * 80
    )
    factories.item(edition, long, position=1)
    page = show(message_to(edition, email=f"{'a' * 60}@{'b' * 60}.example").part("html"),
                width=width)  # fmt: skip

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_is_at_most_600_wide(show):
    page = show(message_to(full_edition()).part("html"), width=1280)

    assert page.evaluate("document.querySelector('.paper').getBoundingClientRect().width") == 600


def test_the_dark_page_is_dark(show):
    page = show(message_to(full_edition()).part("html"), scheme="dark")
    colour = "getComputedStyle(document.querySelector('.paper')).backgroundColor"

    assert page.evaluate(colour) == "rgb(27, 29, 33)"
