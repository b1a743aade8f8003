"""read_feed tells what a feed would bring, in lines of JSON, and stores nothing."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from digest.feeds import child_process
from digest.models import Feed, SectionRule, Story
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_this_process(request, monkeypatch):
    """Start no process where a test is about something else."""
    if not request.node.get_closest_marker("subprocess"):
        monkeypatch.setattr(
            child_process, "call", lambda function, *args, **kwargs: function(*args, **kwargs)
        )


def read(*args):
    out = io.StringIO()
    call_command("read_feed", *map(str, args), stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def stored(tmp_path):
    def store(body, name="feed.xml", header=None):
        path = tmp_path / name
        path.write_bytes(body)
        if header is not None:
            (tmp_path / f"{name}.hdr").write_text(header)
        return path

    return store


def test_each_entry_is_a_story_or_has_the_reason_why_it_is_none(stored, sample):
    lines = read(stored(sample("feeds/rss-media.xml")), "--as-of", "2026-03-10T06:00Z")

    assert [line.get("skipped") for line in lines] == [
        None, None, None, "It is the same story as an entry before it.", "It has no usable link.",
    ]  # fmt: skip
    assert lines[2] == {
        "title": "Council votes on the pier",
        "url": "https://harbour.example/news/pier",
        "identity": lines[2]["identity"],
        "id": "harbour-43",
        "published_at": "2026-03-09T20:00:00+00:00",
        "outlet": "Harbour Post",
        "summary": "A vote on Thursday decides.",
        "image": "https://harbour.example/img/pier.jpg",
        "section": None,
    }
    assert not Story.objects.exists()
    assert not Feed.objects.exists()


def test_a_feed_of_a_newsletter_is_read_as_it_is_set_up_there(web, sample):
    newsletter = factories.newsletter()
    section = factories.section(newsletter, slug="harbour")
    url = web.serve("/feed.xml", sample("feeds/rss-media.xml"))
    factories.feed(newsletter, url=url, source_name="Ours", section=section)

    assert {(line["outlet"], line["section"]) for line in read(url)[:3]} == {("Ours", "harbour")}


def test_a_feed_of_a_newsletter_is_filed_by_its_rules(stored):
    feed = factories.feed(factories.newsletter(), url="https://wire.example/feed")
    sport = factories.section(feed.newsletter, slug="sport")
    SectionRule.objects.create(newsletter=feed.newsletter, section=sport, value="/sport/")
    item = "<item><title>{0}</title><link>https://wire.example/{0}/1</link></item>"
    body = (
        f"<rss version='2.0'><channel>{item.format('sport')}{item.format('world')}</channel></rss>"
    )

    lines = read(stored(body.encode()), "--url", feed.url)

    assert [line["section"] for line in lines] == ["sport", None]


def test_it_is_read_as_at_the_time_and_from_the_url_that_are_given(stored):
    items = "<item><title>A</title><link>/a</link><pubDate>2026-03-10T05:00Z</pubDate></item>"
    file = stored(f"<rss version='2.0'><channel>{items * 2}</channel></rss>".encode())

    early, twice = read(file, "--url", "https://a.example/feed", "--as-of", "2026-03-10T04:00")
    assert (early["url"], early["published_at"]) == (
        "https://a.example/a",
        "2026-03-10T04:00:00+00:00",
    )
    assert twice == {"skipped": "It is the same story as an entry before it.", "title": "A"}
    assert [line["skipped"] for line in read(file)] == ["It has no usable link."] * 2


@pytest.mark.parametrize(
    ("guids", "ids"),
    [
        (("HC-1", "HC-2"), ["HC-1", "HC-2"]),
        (("https://a.example/1", "https://a.example/2/"), [None, None]),
        (("HC", "HC"), [None, None]),
        (("", "HC-2"), [None, "HC-2"]),
    ],
    ids=["ids", "URLs", "one id", "no id"],
)
def test_an_id_that_an_entry_is_known_by_besides_is_said(stored, guids, ids):
    items = "".join(
        f"<item><title>{n}</title><link>https://a.example/{n}</link><guid>{guid}</guid></item>"
        for n, guid in enumerate(guids, 1)
    )
    file = stored(f"<rss version='2.0'><channel>{items}</channel></rss>".encode())
    assert [line.get("id") for line in read(file)] == ids


@pytest.mark.parametrize(
    "header",
    ['{"Content-Type": "text/xml; charset=latin1"}', "content-TYPE: text/xml; charset=latin1\n"],
)
def test_the_headers_beside_a_file_count(stored, sample, header):
    body = sample("feeds/latin1.xml").split(b"?>", 1)[1]
    lines = read(stored(body, header=header), "--url", "https://a.example/")
    assert lines[0]["title"] == "Un été très chaud à la côte"


@pytest.mark.parametrize("header", ["", "[]", "{", "[" * 100_000, "\x00"])
def test_what_is_no_feed_is_a_line_and_no_failure(stored, header):
    file = stored(b"<html><body>Hello</body></html>", header=header)
    assert read(file) == [{"skipped": "It is a web page, not a feed.", "title": ""}]
    assert read(stored(b""), "--page")[0]["title"] == ""


def test_an_articles_page_is_the_story_that_adding_it_would_make(web, sample):
    (line,) = read(web.serve("/news/1", sample("pages/article.html")), "--page")
    assert line["published_at"] == "2026-03-10T04:30:00+00:00"
    assert line["title"]
    assert line["image"].endswith("/img/boat.jpg")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("yesterday", {"unread_date": "yesterday"}),
        ("28.11.26 &amp;lt;", {"unread_date": "28.11.26 <"}),
        ("Sun, 28 Nov 2027 08:00 GMT", {"future_date": "Sun, 28 Nov 2027 08:00 GMT"}),
        ("", {}),
        ("2026-11-28", {}),
    ],
)
def test_a_date_that_is_not_believed_is_said(stored, written, said):
    item = f"<item><title>A</title><link>https://a.example/1</link><pubDate>{written}</pubDate>"
    rss = stored(f"<rss version='2.0'><channel>{item}</item></channel></rss>".encode())
    html = f"<html><head><title>A</title><meta name=pubdate content='{written}'></head></html>"
    page = stored(html.encode(), name="page.html")
    as_of = ("--as-of", "2026-11-29T06:00Z")

    for line in (*read(rss, *as_of), *read(page, "--page", "--url", "https://a.example/1", *as_of)):
        added = {name: line[name] for name in line if name.endswith("_date")}
        assert (added, line["published_at"] is None) == (said, written != "2026-11-28")


def test_a_json_feeds_item_that_is_none_is_said(stored):
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": ["rubbish", None] * 2501}
    lines = read(stored(json.dumps(feed).encode()))

    assert lines[0] == {"skipped": "It is no JSON object.", "title": ""}
    assert lines[-1]["skipped"] == "2 more items after 5,000 are not read."


def test_a_page_without_a_url_says_that_it_is_missing(stored, sample):
    file = stored(sample("pages/article.html"))
    (line,) = read(file, "--page")
    (known,) = read(file, "--page", "--url", "https://harbour.example/news/1")

    assert (line["url"], line["missing"]) == ("", "The page's own URL, which --url gives.")
    assert "missing" not in known


@pytest.mark.parametrize("name", ["nowhere.xml", "https://127.0.0.1:1/feed"])
def test_what_cannot_be_read_fails_with_a_sentence(name):
    with pytest.raises(CommandError, match=r"nowhere.xml cannot be read|/feed could not be read"):
        read(name)


@pytest.mark.subprocess
@pytest.mark.parametrize("option", [(), ("--page",)], ids=["feed", "page"])
def test_what_takes_too_long_is_a_line_that_says_so(stored, monkeypatch, option):
    monkeypatch.setattr(child_process, "SECONDS", 0.001)
    (line,) = read(stored(b"<rss version='2.0'/>"), *option)
    assert line == {"skipped": "Reading it takes more than 0.001 seconds.", "title": ""}
