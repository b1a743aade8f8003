"""A request is answered in the reader's language; the newsroom's pages stay in English."""

import re

import pytest
from django.urls import reverse
from django.utils import translation

from subscribers import signed_links
from subscribers.i18n import languages
from subscribers.models import Consent, Subscriber
from tests import factories

pytestmark = pytest.mark.django_db

ENGLISH = {"headers": {"accept-language": "en-GB,en;q=0.9"}}
GERMAN = {"headers": {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}}


def language_of(response):
    """Return the language and the direction that the page declares."""
    return re.search(r'<html lang="([^"]+)" dir="(ltr|rtl)">', response.content.decode()).groups()


@pytest.fixture
def newsletter():
    return factories.newsletter(language="fr")


@pytest.fixture
def reader(newsletter):
    """A reader of a French newsletter who chose Japanese."""
    subscription = factories.subscription(newsletter)
    Subscriber.objects.update(language="ja")
    return subscription


def preferences(subscription):
    return reverse("preferences", args=[signed_links.preferences_token(subscription)])


def test_a_page_is_in_the_language_that_the_browser_asks_for(client, newsletter):
    response = client.get(newsletter.get_absolute_url(), **GERMAN)

    assert language_of(response) == ("de", "ltr")
    assert "E-Mail-Adresse" in response.content.decode()


def test_an_unsupported_language_gives_way_to_the_browsers_next_one(client, newsletter):
    accepted = {"headers": {"accept-language": "sv,ar-EG;q=0.7,en;q=0.3"}}

    assert language_of(client.get(newsletter.get_absolute_url(), **accepted)) == ("ar", "rtl")


@pytest.mark.parametrize("header", ["", "sv", "*", "sv,*;q=0.5", "nonsense;;;,q=", "x" * 5000])
def test_a_browser_without_a_supported_language_gets_the_newsletters_language(
    client, newsletter, header
):
    response = client.get(newsletter.get_absolute_url(), headers={"accept-language": header})

    assert language_of(response) == ("fr", "ltr")
    assert language_of(client.get("/", headers={"accept-language": header})) == ("en", "ltr")


def test_a_newsletter_in_an_unsupported_language_has_an_english_page(client):
    swedish = factories.newsletter(language="sv")

    assert language_of(client.get(swedish.get_absolute_url())) == ("en", "ltr")


def test_a_readers_own_links_open_in_the_language_they_chose(client, reader):
    assert language_of(client.get(preferences(reader), **GERMAN)) == ("ja", "ltr")
    unsubscribe = reverse("unsubscribe", args=[signed_links.unsubscribe_token(reader.pk)])
    assert language_of(client.get(unsubscribe, **GERMAN)) == ("ja", "ltr")
    confirm = reverse("confirm", args=[signed_links.confirm_token(reader)])
    assert language_of(client.get(confirm, **GERMAN)) == ("ja", "ltr")


def test_the_language_switch_takes_precedence_and_is_stored_in_a_cookie(client, newsletter, reader):
    assert language_of(client.get(f"{preferences(reader)}?lang=es", **GERMAN)) == ("es", "ltr")

    cookie = client.cookies["language"]
    assert cookie.value == "es"
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)
    assert language_of(client.get(newsletter.get_absolute_url(), **GERMAN)) == ("es", "ltr")
    # The language that the reader chose takes precedence over the browser's cookie.
    assert language_of(client.get(preferences(reader), **GERMAN)) == ("ja", "ltr")


@pytest.mark.parametrize("odd", ["sv", "", "../../etc", "de%00", "x" * 3000])
def test_an_unknown_language_in_the_query_is_ignored(client, newsletter, odd):
    response = client.get(f"{newsletter.get_absolute_url()}?lang={odd}", **GERMAN)

    assert language_of(response) == ("de", "ltr")
    assert "language" not in client.cookies


def test_every_page_offers_every_language_by_its_own_name(client, newsletter):
    page = client.get(newsletter.get_absolute_url(), **GERMAN).content.decode()

    assert '<span lang="de" aria-current="true">Deutsch</span>' in page
    for code, name in [("ar", "العربيّة"), ("ja", "日本語"), ("pt", "Português")]:
        assert re.search(rf'<a href="\?lang={code}" lang="{code}"[^>]*>{name}</a>', page)


def test_pages_have_a_vary_header_for_language_and_cookie(client, newsletter):
    vary = client.get(newsletter.get_absolute_url()).headers["Vary"]

    assert {"Accept-Language", "Cookie"} <= {part.strip() for part in vary.split(",")}


def test_a_publicly_cached_page_does_not_vary_by_language(client, newsletter):
    edition = factories.publish(factories.edition(newsletter, stories=2))
    url = reverse("edition", args=[edition.public_id])
    french, german = client.get(url), client.get(url, **GERMAN)

    assert french.content == german.content
    assert "Accept-Language" not in french.headers.get("Vary", "")
    assert "Recevoir la newsletter" in french.content.decode()


def test_the_admin_stays_in_english(admin_client):
    page = admin_client.get("/admin/subscribers/newsletter/", **GERMAN).content.decode()

    assert '<html lang="en' in page
    assert "Select newsletter to change" in page
    admin_client.get("/admin/?lang=de", **GERMAN)
    assert "language" not in admin_client.cookies


def test_a_response_leaves_no_language_active(client, newsletter):
    before = translation.get_language()
    client.get(newsletter.get_absolute_url(), **GERMAN)

    assert translation.get_language() == before


def test_sign_up_and_confirmation_are_recorded_in_the_language_that_the_reader_saw(
    client, newsletter
):
    client.post(newsletter.get_absolute_url(), {"email": "ann@example.com"}, **GERMAN)
    subscription = newsletter.subscriptions.get()
    assert subscription.subscriber.language == "de"
    client.post(reverse("confirm", args=[signed_links.confirm_token(subscription)]), **ENGLISH)

    records = Consent.objects.order_by("pk").values_list("kind", "language", "wording")
    assert list(records) == [
        (
            "signup",
            "de",
            f"Mit der Anmeldung willigen Sie ein, den Newsletter {newsletter.name} per E-Mail zu "
            "erhalten. Wir verwenden Ihre Adresse für nichts anderes, und jede Ausgabe enthält "
            "einen Link zum Abbestellen.",
        ),
        (
            "confirmation",
            "de",
            f"Ja, ich möchte den Newsletter {newsletter.name} per E-Mail erhalten.",
        ),
    ]


def test_a_mistake_in_an_address_is_explained_in_the_readers_language(client, newsletter):
    page = client.post(newsletter.get_absolute_url(), {"email": "ann@"}, **GERMAN)

    assert "Nach dem @-Zeichen fehlt etwas." in page.content.decode()


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("de-AT", "de"), ("pt-br", "pt"), ("PT-PT", "pt"), ("en-GB", "en"), ("sv", ""), ("", "")],
)
def test_a_language_tag_maps_to_a_supported_language_or_to_none(tag, expected):
    assert languages.supported(tag) == expected
