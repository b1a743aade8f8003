"""Every text that a reader sees goes through gettext, wherever in the code it is written.

These tests show every page and mail in a made-up language in which each sentence stands in
brackets. Letters outside the brackets are English text that no translation can reach.
"""

import re
from html.parser import HTMLParser

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.conf import settings
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import get_language_info

from digest.models import Edition
from digest.rendering.assemble import assemble, web_page
from subscribers.i18n import timezones
from subscribers.models import Newsletter
from tests import factories
from tests.languages import pages_and_mails
from tests.languages.test_catalogues import LOCALES, catalogue
from tests.languages.test_templates import SHOWN, UNSHOWN_META

pytestmark = pytest.mark.django_db

# German in everything but its messages.
MADE_UP = "de"
# Names that need no translation: of the product, addresses, time zones, and the languages.
OWN_NAMES = {capfirst(get_language_info(code)["name_local"]) for code, _ in settings.LANGUAGES}
SAME_EVERYWHERE = re.compile(r"Daybreak|\S+@\S+|https?://\S+|__[A-Z_0-9]+?__|\b(?:GMT|BST|UTC)\b")


@pytest.fixture(autouse=True)
def made_up(settings, tmp_path):
    """Install a language in which each sentence is the English one in brackets."""
    catalog = Catalog(locale=MADE_UP, charset="utf-8")
    for message in catalogue(LOCALES / "de" / "LC_MESSAGES" / "django.po"):
        if message.id:
            text = message.id
            bracketed = tuple(map(_in_brackets, text)) if isinstance(text, tuple) else None
            catalog.add(text, bracketed or _in_brackets(text), context=message.context)
    folder = tmp_path / MADE_UP / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalog)
    settings.LOCALE_PATHS = [tmp_path]
    # Lists of cities are cached by language. A German one may be cached from before, and the
    # made-up one must not stay for later tests.
    timezones.grouped.cache_clear()
    yield
    timezones.grouped.cache_clear()


def _in_brackets(text: str) -> str:
    return f"⟦{text}⟧"


class UntranslatedText(HTMLParser):
    """Collect the text that is shown outside brackets. A sentence in brackets may hold elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self._unshown: list[str] = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        # Dates and cities come from the lists of Django and Babel.
        is_choice = "hreflang" in values or "aria-current" in values
        hides = is_choice or tag in {"style", "script", "time", "optgroup"}
        if tag not in {"meta", "link", "input", "img", "br", "hr"} and (hides or self._unshown):
            self._unshown.append(tag)
        shown = SHOWN - ({"value"} if tag in {"input", "button", "option"} else set())
        if tag == "meta" and values.get("name", "viewport") in UNSHOWN_META:
            shown = set()
        for name in shown:
            self._note(re.sub(r"⟦[^⟧]*⟧", "", values.get(name) or ""))

    def handle_endtag(self, tag):
        if self._unshown and self._unshown[-1] == tag:
            self._unshown.pop()

    def handle_data(self, data):
        if self._unshown:
            return
        for piece in re.split(r"([⟦⟧])", data):
            if piece in "⟦⟧":
                self._depth += {"⟦": 1, "⟧": -1, "": 0}[piece]
            elif not self._depth:
                self._note(piece)

    def _note(self, text):
        rest = SAME_EVERYWHERE.sub("", text).strip()
        if rest not in OWN_NAMES and re.search(r"[^\W\d_]", rest):
            self.found.append(rest)


def untranslated_text(html: str) -> list[str]:
    page = UntranslatedText()
    page.feed(html)
    page.close()
    assert page._depth == 0
    return page.found


@pytest.fixture
def newsletter():
    return pages_and_mails.newsletter()


@pytest.fixture
def readers(newsletter):
    return pages_and_mails.readers(newsletter, MADE_UP)


def test_a_text_outside_brackets_is_found():
    assert untranslated_text("<p>⟦one <b>two</b>⟧ 3 <i>four</i></p>") == ["four"]


def test_every_page_is_translated(client, newsletter, readers):
    found = {}
    for name, path in pages_and_mails.pages(newsletter, readers).items():
        html = client.get(pages_and_mails.in_language(path, MADE_UP)).content.decode()
        assert f'<html lang="{MADE_UP}"' in html
        assert "⟦" in html
        found[name] = untranslated_text(html)

    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("email", ["", "ann", "a@b@c.de", "ann@", "@x.de", "a b@x.de", "é@x.de",
                                   "ann@x", "a" * 400, "ann@mailinator.com", "ann@gmial.com",
                                   "postmaster@example.com"])  # fmt: skip
def test_every_message_about_an_address_is_translated(client, newsletter, email):
    page = client.post(f"{newsletter.get_absolute_url()}?lang={MADE_UP}", {"email": email})

    assert page.status_code in {200, 302}
    assert untranslated_text(page.content.decode()) == []


def test_every_response_to_a_form_is_translated(client, newsletter, readers):
    active = readers["active"]
    preferences = pages_and_mails.preferences(active)
    unsubscribe = pages_and_mails.unsubscribe(active)
    posts = [
        ("a wrong pause", preferences, {"do": "pause-all", "weeks": "until", "until": "x"}),
        ("the same address", preferences, {"do": "move", "email": active.subscriber.email}),
        ("unsubscribed", unsubscribe, {"page": "1"}),
        ("no reason", f"{unsubscribe}/why/", {}),
        ("a reason", f"{unsubscribe}/why/", {"why": "other"}),
        ("a lost link", reverse("lost-link"), {"email": "ann"}),
        ("erased", pages_and_mails.own_data(active, "erase-me"), {}),
    ]
    found = {}
    for name, path, data in posts:
        response = client.post(f"{path}?lang={MADE_UP}", data)
        assert response.status_code in {200, 422}, name
        assert "⟦" in response.content.decode(), name
        found[name] = untranslated_text(response.content.decode())

    assert {name: texts for name, texts in found.items() if texts} == {}


def test_every_mail_is_translated(newsletter, readers):
    mails = pages_and_mails.mails(readers)

    assert set(mails) >= {
        "confirm",
        "reminder",
        "welcome",
        "link",
        "data",
        "old-address",
        "new-address",
    }
    for kind, mail in mails.items():
        html = mail.alternatives[0][0]
        assert untranslated_text(html) == [], kind
        assert untranslated_text(mail.subject) == [], kind
        assert untranslated_text(mail.body) == [], kind


def test_the_digests_own_texts_are_translated(newsletter):
    Newsletter.objects.update(language=MADE_UP)
    edition = Edition.objects.get()
    correction = factories.edition(edition.newsletter, stories=0, subject="17", corrects=edition)
    page = assemble(correction)

    assert untranslated_text(page.html) == []
    assert untranslated_text(page.text) == []
    assert untranslated_text(web_page(edition)) == []
    assert "⟦Correction to the edition of ⟦" in page.text
