"""A story's language is its own, else the editor's word on its feed, else the feed's."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from digest.feeds import ingest
from digest.feeds.parse import parse
from digest.models import Feed, Story
from tests import factories
from tests.factories import NOW

ITEM = "<item><title>Story {n}</title><link>https://a.example/{n}</link>{more}</item>"
RSS = "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'{root}><channel>{about}{items}</channel></rss>"
ATOM = (
    "<feed xmlns='http://www.w3.org/2005/Atom'{root}><title>Wire</title>"
    "<entry{own}><title{of_title}>Story</title><link href='https://a.example/1'/></entry></feed>"
)


def rss(*items, root="", about=""):
    entries = "".join(ITEM.format(n=n, more=more) for n, more in enumerate(items))
    return RSS.format(root=root, about=about, items=entries).encode()


def atom(root="", own="", of_title=""):
    return ATOM.format(root=root, own=own, of_title=of_title).encode()


def json_feed(item, **about):
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "Story"} | item]}
    return json.dumps(feed | about).encode()


OWN = "<dc:language>fr</dc:language>"


@pytest.mark.parametrize(
    ("body", "feeds", "entries"),
    [
        (rss("", OWN, "", about="<language>de-AT</language>"), "de-AT", ["", "fr", ""]),
        (rss("", about="<dc:language>pt_BR</dc:language>"), "pt_BR", [""]),
        (rss("", root=" xml:lang='it'"), "it", [""]),
        (rss("", OWN.replace("fr", "French"), about="<language>de</language>"), "de", ["", ""]),
        (atom(root=" xml:lang='de'"), "de", [""]),
        (atom(root=" xml:lang='de'", own=" xml:lang='fr-CH'"), "de", ["fr-CH"]),
        (atom(of_title=" xml:lang='fr'"), "", ["fr"]),
        (json_feed({}, language="nl"), "nl", [""]),
        (json_feed({"language": "fy"}, language="nl"), "nl", ["fy"]),
        (json_feed({"language": 7}, language=["nl"]), "", [""]),
    ],
)
def test_a_feed_and_an_entry_say_their_language_in_each_format(body, feeds, entries):
    parsed = parse(body, base_url="https://a.example/feed")

    assert parsed.language == feeds
    assert [entry.language for entry in parsed.entries] == entries


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "header", "feeds", "stories"),
    [
        (rss("", OWN, about="<language>de-at</language>"), "en", "de-AT", ["de-AT", "fr"]),
        (rss("", about="<language>German</language>"), "de", "de", ["de"]),
        (rss(""), "en-GB", "en-GB", ["en-GB"]),
        (rss(""), "en, fr", "", [""]),
    ],
)
def test_the_stories_of_a_feed_have_its_language(web, body, header, feeds, stories):
    url = web.serve("/f", body, headers={"Content-Language": header})
    feed = factories.feed(factories.newsletter(), url=url)

    ingest.fetch_feed(feed_id=feed.pk, now=NOW, force=True)

    feed.refresh_from_db()
    assert feed.stated_language == feeds
    assert [story.lang for story in Story.objects.order_by("title")] == stories


def test_an_editors_word_counts_more_than_the_feeds_and_less_than_the_entrys_and_the_script():
    feed = Feed(stated_language="en-US", language="de")

    assert Story(feed=feed, title="Elf Tote bei Erdbeben").lang == "de"
    assert Story(feed=feed, title="Onze morts", stated_language="fr").lang == "fr"
    assert Story(feed=feed, title="チリ北部で強い地震、11人死亡").lang == "ja"
    assert Story(title="Elf Tote bei Erdbeben").lang == ""


@pytest.mark.parametrize("value", ["German", "jp", "pt_br"])
def test_a_language_that_is_no_tag_is_refused(value):
    with pytest.raises(ValidationError) as refused:
        Feed(language=value).clean_fields(exclude=["newsletter", "url"])

    assert list(refused.value.message_dict) == ["language"]


@pytest.mark.django_db
def test_the_feeds_form_says_what_an_empty_language_means(admin_client):
    feed = factories.feed(factories.newsletter(), stated_language="en-US")

    page = admin_client.get(reverse("admin:digest_feed_change", args=[feed.pk]))

    assert "what the feed says, en-US." in page.content.decode()
