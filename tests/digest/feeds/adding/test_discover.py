"""The feeds of a site are found from any of its pages."""

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.admin import feeds
from digest.feeds import child_process, ingest
from digest.feeds.adding import add, discover
from digest.feeds.adding.links import FeedLink, feed_links
from digest.models import Feed
from tests import factories
from tests.factories import NOW
from tests.support.steps import assert_steps_are_bounded

URL = "https://a.example/news/story"


def rss(title):
    return (
        f"<rss version='2.0'><channel><title>{title}</title><item><title>A story</title>"
        f"<link>https://a.example/{title}</link><pubDate>{NOW.isoformat()}</pubDate></item>"
        "</channel></rss>"
    ).encode()


def page(*links, body=""):
    return f"<!doctype html><html><head>{''.join(links)}</head><body>{body}</body></html>".encode()


def alternate(href, kind="application/rss+xml", title=""):
    return f'<link rel="alternate" type="{kind}" title="{title}" href="{href}">'


@pytest.fixture
def _in_this_process(monkeypatch):
    """Read here, so that a test takes no process of its own."""
    monkeypatch.setattr(child_process, "call", lambda function, *args, **kw: function(*args, **kw))


# --- What a page says ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (alternate("/rss", title="News &amp; more"), [("/rss", "News & more", "RSS")]),
        (alternate("x", "application/atom+xml; charset=utf-8"), [("/news/x", "", "Atom")]),
        (alternate("/f.json", "application/feed+json"), [("/f.json", "", "JSON Feed")]),
        # WordPress's API, a translation and a style are no feeds.
        (alternate("/wp-json/1", "application/json"), []),
        ('<link rel="alternate" hreflang="de" href="/de">', []),
        ('<link rel="stylesheet" type="application/rss+xml" href="/rss">', []),
        (alternate("javascript:alert(1)"), []),
        ('<base href="https://b.example/">' + alternate("rss"),
         [("https://b.example/rss", "", "RSS")]),
        (alternate("/comments/feed", title="Comments") + alternate("/feed"),
         [("/feed", "", "RSS"), ("/comments/feed", "Comments", "RSS")]),
        (alternate("/rss") + alternate("/rss"), [("/rss", "", "RSS")]),
        ("<base href='http://['>" + alternate("/rss"), [("/rss", "", "RSS")]),
    ],
)  # fmt: skip
def test_a_pages_links_to_feeds_are_read(head, found):
    links = feed_links(page(head), url=URL)
    assert [
        (link.url.removeprefix("https://a.example"), link.title, link.kind) for link in links
    ] == found


def test_links_in_the_text_count_where_the_head_names_none():
    body = '<a href="/rss">RSS</a> <a href="/feedback">Feedback</a>'
    body += '<a href="/world.rss"><b>World</b></a>'

    assert feed_links(page(body=body), url=URL) == [
        FeedLink("https://a.example/rss", "RSS"), FeedLink("https://a.example/world.rss", "World"),
    ]  # fmt: skip
    assert feed_links(page(alternate("/feed"), body=body), url=URL) == [
        FeedLink("https://a.example/feed", "", "RSS")
    ]


@pytest.mark.parametrize("body", [b"", b"\x00\xff\xfe", b"\x1f\x8b\x08broken", b"{}", b"<" * 5000])
def test_what_is_no_page_has_no_links(body):
    assert feed_links(body, url=URL) == []


@given(
    st.text(alphabet="<>/=\"' &;ahref\n\x00", min_size=1, max_size=8)
    | st.sampled_from(["<link rel=alternate type=application/rss+xml href=/a>", "<a href=/rss>"])
)
@settings(deadline=None, max_examples=40)
def test_a_hostile_page_takes_bounded_steps(unit):
    assert_steps_are_bounded(
        lambda text: feed_links(text.encode(), url=URL), unit, length=4000, per_character=60
    )


# --- Finding -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_in_this_process")
def test_the_feeds_of_an_article_are_offered_with_what_is_in_them(web):
    web.serve("/rss", rss("World"))
    web.serve("/atom", b"<feed xmlns='http://www.w3.org/2005/Atom'><title>All</title></feed>")
    web.serve("/gone", status=404)
    links = (alternate("/rss"), alternate("/atom", "application/atom+xml"), alternate("/gone"))
    url = web.serve("/news/story", page(*links))

    assert [found.in_words for found in discover.discover(url, allow_hosts=["127.0.0.1"])] == [
        "World (RSS, 1 entry, the last on 10 March 2026)", "All (Atom, 0 entries)",
    ]  # fmt: skip


@pytest.mark.usefixtures("_in_this_process")
@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        # The page is silent, and the front page is not.
        ({"/": page(alternate("/world")), "/world": rss("World")}, "/world"),
        ({"/": page(), "/feed.xml": rss("Feed")}, "/feed.xml"),
    ],
)
def test_without_links_the_front_page_and_the_usual_paths_are_tried(web, pages, expected):
    for path, body in pages.items():
        web.serve(path, body)
    url = web.serve("/news/story", page())

    found = discover.discover(url, allow_hosts=["127.0.0.1"])

    assert [one.url for one in found] == [web.url(expected)]
    assert len(web.requests) <= 14


@pytest.mark.usefixtures("_in_this_process")
def test_the_search_ends_in_time(web, monkeypatch):
    monkeypatch.setattr(discover, "_REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(discover, "SECONDS", 1.0)
    links = [alternate(f"/{n}") for n in range(30)]
    for n in range(30):
        web.serve(f"/{n}", rss(str(n)), wait=5)

    assert discover.discover(web.serve("/p", page(*links)), allow_hosts=["127.0.0.1"]) == []
    assert len(web.requests) < 10


# --- Adding --------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("_in_this_process")
def test_the_only_feed_of_a_page_is_added(web):
    web.serve("/world.xml", rss("World"))
    url = web.serve("/news/story", page(alternate("/world.xml")))

    feed = add.add_site(newsletter=factories.newsletter(), url=url, now=NOW)

    assert (feed.url, feed.title, feed.stories.count()) == (web.url("/world.xml"), "World", 1)
    with pytest.raises(ingest.CannotAddFeed, match="no feed was found"):
        add.add_site(newsletter=feed.newsletter, url=web.serve("/x", b"<html></html>"), now=NOW)


@pytest.mark.django_db
@pytest.mark.usefixtures("_in_this_process")
def test_an_editor_chooses_one_of_several_feeds(web, admin_client, monkeypatch):
    monkeypatch.setattr(feeds, "enqueue", lambda task, **kwargs: None)
    web.serve("/rss", rss("World"))
    web.serve("/sport", rss("Sport"))
    url = web.serve("/", page(alternate("/rss"), alternate("/sport")))
    newsletter = factories.newsletter()
    form = {"newsletter": newsletter.pk, "url": url, "weight": "2", "is_active": "on"}
    add_url = reverse("admin:digest_feed_add")

    answer = admin_client.post(add_url, form).content.decode()
    assert "It is a web page with 2 feeds. Choose one." in answer
    assert not Feed.objects.exists()

    chosen = f"?newsletter={newsletter.pk}&amp;section=&amp;weight=2&amp;url=http%3A%2F%2F127"
    assert chosen in answer
    preset = admin_client.get(add_url, {"newsletter": newsletter.pk, "url": web.url("/sport")})
    assert web.url("/sport") in preset.content.decode()
    admin_client.post(add_url, {**form, "url": web.url("/sport")})
    assert [feed.url for feed in Feed.objects.all()] == [web.url("/sport")]


@pytest.mark.django_db
@pytest.mark.usefixtures("_in_this_process")
def test_a_page_without_a_feed_is_no_feed_and_one_that_is_down_may_be(
    web, admin_client, monkeypatch
):
    monkeypatch.setattr(feeds, "enqueue", lambda task, **kwargs: None)
    form = {"newsletter": factories.newsletter().pk, "weight": "1", "is_active": "on"}
    add_url = reverse("admin:digest_feed_add")

    answer = admin_client.post(add_url, {**form, "url": web.serve("/", page())})
    assert "no feed was found" in answer.content.decode()

    down = web.serve("/down", status=503)
    admin_client.post(add_url, {**form, "url": down})
    assert [feed.url for feed in Feed.objects.all()] == [down]
