"""Pages and mails fit a phone in every language, and axe finds no violation."""

import pytest
from django.conf import settings
from django.core.mail.backends.locmem import EmailBackend

from digest.models import Edition
from digest.rendering.assemble import web_page
from tests.languages import pages_and_mails
from tests.support.browser import axe_violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LANGUAGES = [code for code, _ in settings.LANGUAGES]
# axe judges the structure of a page, not its text. Here it checks the right-to-left pages only.
MIRRORED = "ar"
# The script draws the content of this frame, and the tests of the script check it.
DRAWN_BY_SCRIPT = "embed-frame"


def overflow(page):
    """Return by how many pixels the page is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_a_small_phone(page, language):
    newsletter = pages_and_mails.newsletter(
        name="The Daily Briefing", promise="Five stories at breakfast."
    )
    page.set_viewport_size({"width": 320, "height": 800})
    for name, path in pages_and_mails.pages(
        newsletter, pages_and_mails.readers(newsletter, language)
    ).items():
        page.goto(pages_and_mails.in_language(path, language))
        assert page.locator("html").get_attribute("lang") == language, name
        assert overflow(page) <= 0, name
        if language == MIRRORED and name != DRAWN_BY_SCRIPT:
            assert axe_violations(page) == [], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_fits_a_small_phone(page, settings, language):
    settings.EMAIL_BACKEND = f"{EmailBackend.__module__}.{EmailBackend.__name__}"
    newsletter = pages_and_mails.newsletter(language=language, name="The Daily Briefing")
    mails = pages_and_mails.mails(pages_and_mails.readers(newsletter, language))
    shown = {name: mail.alternatives[0][0] for name, mail in mails.items()}
    shown["digest"] = web_page(Edition.objects.get())
    page.set_viewport_size({"width": 320, "height": 800})
    for name, html in shown.items():
        page.set_content(html)
        assert page.locator("html").get_attribute("lang") == language, name
        direction = "rtl" if language == "ar" else "ltr"
        assert page.locator("html").get_attribute("dir") == direction, name
        assert overflow(page) <= 0, name
        if language == MIRRORED:
            assert axe_violations(page) == [], name
