"""Feeds in the formats that publishers really serve become entries."""

from datetime import UTC, datetime

import pytest

from digest.feeds.images import Image, best_image, entry_image
from digest.feeds.parse import MAX_ENTRIES, NotAFeed, parse


def feed(body, **kwargs):
    return parse(body, **{"base_url": "https://harbour.example/feed"} | kwargs)


def test_an_rss_feed_with_media_is_parsed(sample):
    parsed = feed(sample("feeds/rss-media.xml"))
    assert (parsed.title, parsed.language, len(parsed.entries)) == (
        "Harbour Post - Front page",
        "en-GB",
        5,
    )
    boat, fish, pier, *_ = parsed.entries
    assert boat.guid == "harbour-41"
    assert (boat.author, boat.category, boat.image_credit) == ("Ada Quay", "Transport", "Sam Pier")
    assert boat.published_at == datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
    assert boat.image == Image("https://img.harbour.example/boat-1100.jpg", 1100, 619)
    assert fish.image == Image("https://img.harbour.example/fish.jpg", 240, 135)
    assert pier.image == Image("https://harbour.example/img/pier.jpg", 800, 450)


def test_an_atom_feed_is_parsed(sample):
    parsed = feed(sample("feeds/atom.xml"))
    bridge, school = parsed.entries
    assert (parsed.title, parsed.language) == ("Talblatt", "de")
    assert bridge.author == "Jo Berg, Mia Tal"
    assert bridge.published_at == datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
    assert bridge.image == Image("https://talblatt.example/bruecke.jpg")
    assert school.link == "https://talblatt.example/schule"
    assert "Der Preis geht ins Tal." in school.summary


def test_broken_xml_gives_what_can_be_recovered(sample):
    titles = [entry.title for entry in feed(sample("feeds/broken.xml")).entries]
    assert titles[0].startswith("First &")
    assert len(titles) >= 2


def test_the_charset_of_the_feed_is_used(sample):
    assert feed(sample("feeds/latin1.xml")).entries[0].title == "Un été très chaud à la côte"


def test_the_charset_of_the_header_is_used_where_the_feed_names_none(sample):
    body = sample("feeds/latin1.xml").split(b"?>", 1)[1]
    parsed = feed(body, content_type="application/rss+xml; charset=iso-8859-1")
    assert parsed.title == "Le Café"


@pytest.mark.parametrize(
    "date", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "Thu, 01 Jan 1970 00:00:00 GMT"]
)
def test_a_placeholder_does_not_count_as_a_date(date):
    item = f"<item><title>Boat</title><link>/boat</link><pubDate>{date}</pubDate></item>"
    body = f"<rss version='2.0'><channel><title>Post</title>{item}</channel></rss>".encode()

    assert [entry.published_at for entry in feed(body).entries] == [None]


def test_entries_without_a_date_have_no_publication_time(sample):
    assert [e.published_at for e in feed(sample("feeds/undated.xml")).entries] == [None] * 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "It is empty."),
        (b" \n", "It is empty."),
        (b'{"a": 1}', "neither RSS nor Atom but application/json"),
        (b"\x89PNG\r\n", "neither RSS nor Atom"),
        (b"<!doctype html><html><body><p>Hello</p></body></html>", "a web page, not a feed"),
        (
            b'<html><link rel="alternate" type="application/rss+xml" href="/feed.xml"></html>',
            "its feed is /feed.xml",
        ),
    ],
)
def test_the_error_says_what_was_found_instead_of_a_feed(body, message):
    with pytest.raises(NotAFeed, match=message):
        feed(body, content_type="application/json; charset=utf-8")


def test_a_feed_without_entries_is_a_feed():
    assert feed(b"<rss version='2.0'><channel><title>New</title></channel></rss>").entries == []


def test_only_the_newest_entries_of_a_large_feed_are_read():
    items = "".join(
        f"<item><title>{n}</title><link>https://a.example/{n}</link>"
        f"<pubDate>{n % 28 + 1:02} Jan {1990 + n // 28} 00:00:00 GMT</pubDate></item>"
        for n in range(MAX_ENTRIES + 20)
    )
    entries = feed(f"<rss version='2.0'><channel>{items}</channel></rss>".encode()).entries
    assert len(entries) == MAX_ENTRIES
    assert "0" not in {entry.title for entry in entries}


def test_an_email_address_is_not_taken_for_an_author():
    body = (
        b"<rss version='2.0'><channel><item><title>a</title><author>ada@a.example (Ada)</author>"
        b"</item><item><title>b</title><author>bob@a.example</author></item></channel></rss>"
    )
    assert [entry.author for entry in feed(body).entries] == ["Ada", ""]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ('<img width="1" height="1" src="/count.gif"><IMG SRC=/a.jpg>', "https://a.example/a.jpg"),
        ("<img src='b.png?x=1&amp;y=2' alt=\"A > B\">", "https://a.example/b.png?x=1&y=2"),
        ('<img src="data:image/gif;base64,R0">', None),
        ('<img src="logo.svg">', None),
        ("<![ <img", None),
    ],
)
def test_an_image_in_the_text_of_an_entry_is_found(text, url):
    image = entry_image({"summary": text}, base="https://a.example/story")
    assert (image.url if image else None) == url


@pytest.mark.parametrize(
    ("sizes", "best"),
    [
        ([(240, 135), (640, 360), (1200, 675), (4000, 2250)], 1200),
        ([(900, 1600), (640, 360)], 640),
        ([(2000, 1125), (300, 169)], 2000),
        ([(300, 169), (500, 281)], 500),
        ([(None, None), (240, 135)], None),
    ],
)
def test_the_image_nearest_to_the_digests_width_is_taken(sizes, best):
    images = [Image(f"https://a.example/{n}", *size) for n, size in enumerate(sizes)]
    assert best_image(images).width == best
