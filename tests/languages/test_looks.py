"""In every language the pages and mails fit a phone, and axe finds nothing."""

import pytest
from django.conf import settings
from django.core.mail.backends.locmem import EmailBackend

from digest.models import Edition
from digest.rendering.assemble import web_page
from tests.conftest import axe_violations
from tests.languages import places

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LANGUAGES = [code for code, _ in settings.LANGUAGES]
# axe judges what a page is made of, not its words: once more where it is turned round.
MIRRORED = "ar"
# What is in it is drawn by the script, and tested with it.
NO_PAGE = "embed-frame"


def sticks_out(page):
    """By how many pixels at the width of a small phone."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits(page, language):
    newsletter = places.newsletter(name="The Daily Briefing", promise="Five stories at breakfast.")
    page.set_viewport_size({"width": 320, "height": 800})
    for name, path in places.pages(newsletter, places.readers(newsletter, language)).items():
        page.goto(places.asking(path, language))
        assert page.locator("html").get_attribute("lang") == language, name
        assert sticks_out(page) <= 0, name
        if language == MIRRORED and name != NO_PAGE:
            assert axe_violations(page) == [], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mail_fits(page, settings, language):
    settings.EMAIL_BACKEND = f"{EmailBackend.__module__}.{EmailBackend.__name__}"
    newsletter = places.newsletter(language=language, name="The Daily Briefing")
    mails = places.mails(places.readers(newsletter, language))
    shown = {name: mail.alternatives[0][0] for name, mail in mails.items()}
    shown["digest"] = web_page(Edition.objects.get())
    page.set_viewport_size({"width": 320, "height": 800})
    for name, html in shown.items():
        page.set_content(html)
        assert page.locator("html").get_attribute("lang") == language, name
        direction = "rtl" if language == "ar" else "ltr"
        assert page.locator("html").get_attribute("dir") == direction, name
        assert sticks_out(page) <= 0, name
        if language == MIRRORED:
            assert axe_violations(page) == [], name
