"""The server's answers to a form that is embedded in a page of another site."""

import gzip
import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote_plus, urlsplit

import pytest
from django.utils import timezone

from subscribers.embed import snippet
from subscribers.embed.contrast import AA, contrast_ratio
from subscribers.models import Consent, Subscription
from subscribers.signup import abuse
from tests import factories
from tests.support.paths import ROOT

JSON = {"Accept": "application/json"}


@pytest.fixture
def newsletter(db):
    return factories.newsletter(name="The Daily Briefing", slug="daily", accent_color="#ffc400")


def post(client, headers=JSON, **fields):
    """Send the form as the script does, some seconds after it was opened."""
    opened = abuse.new_form_token(timezone.now() - timedelta(seconds=10))
    fields = {"email": "ann@example.com", "opened": opened, "lang": "en"} | fields
    return client.post("/embed/daily/", fields, headers=headers)


# --- The script ---------------------------------------------------------------------------------


def test_the_script_is_under_9_kb_gzipped(client):
    response = client.get("/embed.js", headers={"Accept-Encoding": "gzip"})

    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < 9 * 1024
    assert gzip.decompress(response.content) == (ROOT / "static" / "embed.js").read_bytes()


def test_the_script_is_fetched_anew_only_when_it_changed(client, settings):
    first = client.get("/embed.js")
    again = client.get("/embed.js", headers={"If-None-Match": first["ETag"]})

    assert "public" in first["Cache-Control"]
    assert again.status_code == 304


def test_a_cross_origin_isolated_page_may_load_the_script(client):
    response = client.get("/embed.js")

    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "forbidden", ["innerHTML", "outerHTML", "insertAdjacent", "eval(", "cookie"]
)
def test_the_script_does_nothing_that_a_strict_policy_forbids(forbidden):
    code = re.sub(r"/\*.*?\*/", "", (ROOT / "static" / "embed.js").read_text(), flags=re.S)

    assert forbidden not in code


# --- The form's texts and colours ---------------------------------------------------------------


def form(client, **query):
    return json.loads(client.get("/embed/daily/form.json", query).content)


def test_the_form_speaks_the_pages_language(client, newsletter):
    assert form(client, lang="ar-EG")["dir"] == "rtl"
    assert form(client, lang="de-AT")["lang"] == "de"


def test_the_form_falls_back_to_the_newsletters_language(client, newsletter):
    newsletter.language = "fr"
    newsletter.save()

    assert form(client, lang="tlh")["lang"] == "fr"
    assert form(client)["lang"] == "fr"


def test_the_browsers_language_is_ignored_because_the_answer_is_cached_for_all(client, newsletter):
    response = client.get("/embed/daily/form.json", headers={"Accept-Language": "ja"})

    assert json.loads(response.content)["lang"] == "en"
    assert "public" in response["Cache-Control"]
    assert "Vary" not in response


@pytest.mark.parametrize("background", ["", "#ffffff", "#888888", "#102030", "red;} * {"])
@pytest.mark.parametrize("accent", ["", "#ffffff", "#000000", "javascript:"])
def test_the_form_is_readable_whatever_colours_are_chosen(client, newsletter, accent, background):
    answer = form(client, accent=accent, background=background)

    for colours in (answer["light"], answer["dark"]):
        for name in ("accent", "ink", "soft", "bad"):
            assert contrast_ratio(colours[name], colours["paper"]) >= AA
        assert contrast_ratio(colours["edge"], colours["paper"]) >= 3


def test_an_unknown_newsletter_has_no_form(client, db):
    assert client.get("/embed/nothing/form.json").status_code == 404


# --- Signing up ---------------------------------------------------------------------------------


def test_a_sign_up_from_another_page_is_recorded_with_that_page(client, newsletter):
    response = post(
        client,
        headers=JSON | {"Origin": "https://news.example", "User-Agent": "Firefox"},
        page="https://news.example/2026/peace-talks?utm_source=x&token=secret#top",
        lang="de",
    )

    assert response.status_code == 200
    assert response.json() == {"state": "sent"}
    assert Subscription.objects.get().status == "pending"
    consent = Consent.objects.get()
    assert consent.page == "https://news.example/2026/peace-talks"
    assert consent.language == "de"
    assert consent.wording == form(client, lang="de")["wording"]


@pytest.mark.parametrize(
    ("sender", "claimed", "kept"),
    [
        ("https://evil.example", "https://news.example/a", "https://evil.example/"),
        ("https://news.example", "javascript:alert(1)", "https://news.example/"),
        ("https://news.example", "https://ann:pw@news.example/a", "https://news.example/"),
        ("https://news.example", "http://[::1", "https://news.example/"),
        ("null", "https://news.example/a", "https://news.example/a"),
        ("http://testserver", "https://news.example/a", "https://news.example/a"),
    ],
)
def test_a_claimed_page_is_replaced_by_the_origin_if_invalid_or_of_another_site(
    client, newsletter, sender, claimed, kept
):
    post(client, headers=JSON | {"Origin": sender}, page=claimed)

    assert Consent.objects.get().page == kept


def test_any_page_may_read_the_answer_and_no_cookie_is_set(client, newsletter):
    answers = [
        client.get("/embed.js"),
        client.get("/embed/daily/form.json"),
        client.get("/embed/daily/opened.json"),
        client.get("/embed/daily/frame/?lang=de"),
        post(client),
        post(client, email="ann"),
        post(client, headers={}),
    ]

    assert not any(answer.cookies for answer in answers)
    assert not client.cookies
    assert {answers[i].get("Access-Control-Allow-Origin") for i in (0, 1, 2, 4, 5)} == {"*"}


def test_a_bad_address_is_explained_in_the_forms_language(client, newsletter):
    response = post(client, email="ann@example", lang="de")

    assert response.status_code == 422
    assert response.json()["state"] == "address"
    assert response.json()["message"]
    assert not Subscription.objects.exists()


def test_a_new_and_a_known_address_get_the_same_answer(client, newsletter):
    factories.subscription(newsletter, "known@example.com")
    answers = [post(client, email=email) for email in ("new@example.com", "known@example.com")]

    assert answers[0].content == answers[1].content
    assert answers[0].headers == answers[1].headers


def test_a_filled_honeypot_gets_the_same_answer(client, newsletter):
    assert post(client, website="https://spam.example").json() == {"state": "sent"}
    assert not Subscription.objects.exists()


def test_a_form_sent_back_at_once_is_asked_for_once_more_and_then_accepted(client, newsletter):
    quick = post(client, opened=client.get("/embed/daily/opened.json").json()["opened"])

    assert quick.status_code == 422
    assert "press the button once more" in quick.json()["message"]
    assert not Subscription.objects.exists()
    assert post(client, opened=quick.json()["opened"]).json() == {"state": "sent"}
    assert Subscription.objects.exists()


def test_a_get_of_the_forms_url_redirects_to_our_page_and_changes_nothing(client, newsletter):
    response = client.get("/embed/daily/", {"email": "ann@example.com"})

    assert response.url == "/newsletters/daily/"
    assert not Subscription.objects.exists()


def test_a_form_without_script_ends_on_our_page_in_its_language(client, newsletter):
    response = post(client, headers={"Referer": "https://news.example/"}, lang="fr")

    assert response.status_code == 302
    assert response.url == "/newsletters/daily/check-your-inbox/?lang=fr"
    assert Consent.objects.get().page == "https://news.example/"
    assert Consent.objects.get().language == "fr"


# --- The iframe ---------------------------------------------------------------------------------


def test_only_the_iframes_page_may_be_framed_by_other_sites(client, newsletter):
    assert "X-Frame-Options" not in client.get("/embed/daily/frame/")
    assert client.get("/newsletters/daily/")["X-Frame-Options"] == "DENY"
    assert client.get("/")["X-Frame-Options"] == "DENY"


def test_query_values_are_escaped_in_the_iframe(client, newsletter):
    page = client.get("/embed/daily/frame/", {"title": '"><script>alert(1)</script>'})

    assert b"<script>alert" not in page.content
    assert "script-src 'self'" in page["Content-Security-Policy"]


def framed(newsletter, **options):
    """Return the URL of the iframe that the snippet builder makes."""
    [url] = re.findall(
        r'src="([^"]*)"', snippet.frame(newsletter, options=snippet.EmbedOptions(**options))
    )
    path = urlsplit(unescape(url))
    return f"{path.path}?{path.query}"


TEXTS = {"title": "Morgens: das <Wichtigste>", "text": "Kurz.", "button": "Her damit"}


def test_the_iframe_shows_the_texts_that_the_builder_signed(client, newsletter):
    page = client.get(framed(newsletter, lang="de", accent="#b00020", **TEXTS)).content.decode()

    assert "<h1>Morgens: das &lt;Wichtigste&gt;</h1>" in page
    assert 'data-button="Her damit"' in page
    assert 'data-accent="#b00020"' in page


@pytest.mark.parametrize("name", TEXTS)
def test_unsigned_or_changed_texts_are_not_shown_in_the_iframe(client, newsletter, name):
    unsigned = client.get("/embed/daily/frame/", {name: "You have won"})
    url = framed(newsletter, **TEXTS)
    changed = client.get(url.replace(quote_plus(TEXTS[name]), "You+have+won"))
    other = factories.newsletter(slug="other")
    elsewhere = client.get(url.replace("/daily/", f"/{other.slug}/"))

    for page in (unsigned, changed, elsewhere):
        assert page.status_code == 200
        text = page.content.decode()
        assert not re.search(r"data-(title|text|button)=", text)
        assert ">You have won<" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accent", "red;x"),
        ("background", "url(//x)"),
        ("theme", "loud"),
        ("font", "Comic Sans"),
        ("radius", "-1"),
        ("lang", "de you have won"),
    ],
)
def test_an_invalid_option_is_left_out(client, newsletter, name, value):
    page = client.get("/embed/daily/frame/", {name: value}).content.decode()

    assert f"data-{name}=" not in page


def test_without_script_the_mended_address_is_the_loud_choice_in_the_iframe(client, newsletter):
    opened = abuse.new_form_token(timezone.now() - timedelta(seconds=10))
    fields = {"email": "ann@gmial.com", "opened": opened}
    page = client.post("/embed/daily/frame/?lang=en", fields).content.decode()
    use, keep = re.findall(r'<button [^>]*name="(?:use|sure)"[^>]*>', page)

    assert 'class="loud" autofocus' in use
    assert "ann@gmail.com" in use
    assert "class" not in keep


@pytest.mark.parametrize(
    ("theme", "scheme"), [("", "light"), ("dark", "dark"), ("auto", "light dark")]
)
def test_the_iframes_page_declares_its_theme_for_the_page_around_it(
    client, newsletter, theme, scheme
):
    page = client.get("/embed/daily/frame/", {"theme": theme}).content.decode()

    assert f'<meta name="color-scheme" content="{scheme}">' in page


def test_the_iframe_signs_up_without_script(client, newsletter):
    page = client.get("/embed/daily/frame/", headers={"Referer": "https://news.example/a?b"})
    fields = dict(re.findall(r'name="(opened|page)" value="([^"]*)"', page.content.decode()))
    assert fields["page"] == "https://news.example/a"
    fields["opened"] = abuse.new_form_token(timezone.now() - timedelta(seconds=10))

    bad = client.post("/embed/daily/frame/?lang=de", fields | {"email": "ann"})
    assert bad.status_code == 422
    assert 'value="ann"' in bad.content.decode()
    good = client.post("/embed/daily/frame/?lang=de", fields | {"email": "ann@example.com"})

    assert good.status_code == 200
    consent = Consent.objects.get()
    assert consent.page == "https://news.example/a"
    assert consent.language == "de"


def test_an_address_that_was_mended_is_shown(client, newsletter):
    answer = post(client, email="Bob <bob@example.com>").json()

    assert answer == {"state": "sent", "message": "We have read the address as bob@example.com."}
