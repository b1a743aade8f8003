"""An article's page gives its text in the right letters, and a picture that a mail can show."""

import gzip
import json

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.images.choose import Image
from digest.feeds.manual import by_hand
from digest.feeds.manual.json_ld import article_data
from digest.feeds.manual.page_dates import published_at
from digest.feeds.manual.pages import read_page
from tests import factories
from tests.factories import NOW
from tests.support.steps import count_steps

URL = "https://harbour.example/news/pier"


def page(head="", before="", charset="utf-8"):
    return (
        f"<!doctype html><html><head><title>The café at pier two</title>{head}</head><body>"
        f"<header><img src='/masthead.jpg'></header><article>{before}"
        "<p>Photo: Sam Pier</p>"
        "<p>The new café by the harbour opens on Sunday, its owner Zoë Müller said on Friday.</p>"
        "<p>It has room for forty guests and a view of pier two.</p></article></body></html>"
    ).encode(charset)


@pytest.mark.subprocess
def test_a_pages_charset_may_stand_in_its_header_alone(web, db):
    headers = {"Content-Type": "text/html; charset=ISO-8859-1"}
    url = web.serve("/news/pier", page(charset="latin-1"), headers=headers)
    story = by_hand.add_from_url(newsletter=factories.newsletter(), url=url, now=NOW)

    assert story.title == "The café at pier two"
    assert story.summary.startswith("The new café by the harbour opens on Sunday, its owner Zoë")


@pytest.mark.parametrize(
    "body",
    [
        page('<meta charset="windows-1251">'),
        page('<meta charset="utf-8">', charset="latin-1"),
        b'<?xml version="1.0" encoding="windows-1251"?>' + page(),
        gzip.compress(page()),
    ],
    ids=["UTF-8 that says otherwise", "no UTF-8", "XHTML", "a gzip file"],
)
def test_a_page_is_read_by_its_bytes(body):
    assert read_page(body, url=URL).title == "The café at pier two"


@pytest.mark.parametrize(
    ("head", "before", "image", "alt"),
    [
        (
            '<meta property="og:image" content="/a.svg">'
            '<meta name="twitter:image" content="/t.png">',
            "", "t.png", "",
        ),
        (
            '<meta property="og:image" content="/a?id=1">'
            '<meta property="og:image:type" content="image/avif">'
            '<meta property="og:image" content="/b.jpg"><meta property="og:image:alt" content="B">',
            "", "b.jpg", "B",
        ),
        (
            '<meta property="og:image" content="/site-logo.png">',
            '<img src="/ann.jpg" class="avatar">'
            '<img data-src="/pier.jpg" src="data:," alt="The pier">',
            "pier.jpg", "The pier",
        ),
        ('<base href="/s/"><meta property="og:image" content="c.jpg">', "", "s/c.jpg", ""),
        ('<meta property="og:image" content="/a.heic">', "", None, ""),
    ],
)  # fmt: skip
def test_a_page_has_the_first_of_its_pictures_that_can_be_shown(head, before, image, alt):
    found = read_page(page(head, before), url=URL)

    assert (found.image.url if found.image else None) == (
        f"https://harbour.example/{image}" if image else None
    )
    assert found.image_alt == alt


def in_data(*nodes):
    return f"<script type='application/ld+json'>{json.dumps(nodes)}</script>"


ARTICLE = {"@type": ["NewsArticle"], "datePublished": "2026-11-28T15:07:41+01:00"}


def test_what_a_page_says_for_search_engines_is_read():
    picture = {"@type": "ImageObject", "url": "/pier.jpg", "width": 1200, "height": "675"}
    stated = {"image": [picture], "description": "It opens.", "publisher": {"@id": "#us"}}
    head = in_data(
        {"@graph": [{"@type": "Thing"}, ARTICLE | stated]}, {"@id": "#us", "name": "Wire"}
    )

    found = read_page(page(head), url=URL)

    assert found.image == Image("https://harbour.example/pier.jpg", 1200, 675)
    assert (found.summary, found.site_name) == ("It opens.", "Wire")
    assert f"{found.published_at:%H:%M:%S}" == "14:07:41"


@pytest.mark.parametrize(
    ("head", "before", "moment"),
    [
        ('<meta property="article:published_time" content="2026/11/28 15:07:41">', "", "28 15:07"),
        ('<meta name="pubdate" content="Sat, 28 Nov 2026 15:07:00 EST">', "", "28 20:07"),
        ('<meta property="article:modified_time" content="2026-11-29T10:00Z">'
         + in_data(ARTICLE | {"dateModified": "2026-11-29T10:00Z"}), "", "28 14:07"),
        ("", "<time datetime='2026-11-28T15:07+01:00'>Saturday</time>", "28 14:07"),
        ("", "<b itemprop='datePublished' content='2026-11-28T15:07Z'></b>", "28 15:07"),
        ("", "<span class='post-date'>Published on: November 28, 2026 3:07 PM</span>", "28 15:07"),
        ("", "<span class='date'>Samstag, 28. November 2026, 15.07 Uhr</span>", "28 15:07"),
        ("", "<span class='date'>Updated: November 29, 2026</span>", None),
        ("", "<aside><time datetime='2026-11-28'></time></aside>", None),
        ("", "<div class='related'><time datetime='2026-11-28'></time></div>", None),
        ("", "<p>Published 3/4/2026</p>", None),
        ('<meta name="date" content="3/4/2026">', "<time>3/4/2026</time>", None),
        ("<script type='application/ld+json'>{'a', \"datePublished\": \"2026-11-28\",}</script>",
         "", "28 12:00"),
    ],
)  # fmt: skip
def test_the_date_is_that_of_the_publication_and_understood_in_full(head, before, moment):
    found = read_page(page(head, before), url=URL).published_at
    assert (f"{found:%d %H:%M}" if found else None) == moment


def test_a_day_in_the_address_is_the_date_of_last_resort():
    url = "https://harbour.example/2026/11/28/pier"
    time = "<time datetime='2026-11-27'>"
    assert f"{read_page(page(), url=url).published_at:%d %H}" == "28 12"
    assert f"{read_page(page(before=time), url=url).published_at:%d %H}" == "27 12"
    assert read_page(page(), url="https://harbour.example/2026/13/28/pier").published_at is None


def test_the_host_that_a_page_calls_canonical_is_no_outlet():
    head = '<link rel="canonical" href="https://other.example/x">'
    assert read_page(page(head), url=URL).site_name == ""


def test_a_description_that_is_cut_gives_way_to_the_text():
    head = '<meta property="og:description" content="The café opens. It has room for fo...">'
    assert read_page(page(head), url=URL).summary.startswith("The new café by the harbour opens")


@pytest.mark.parametrize(
    ("part", "more"),
    [
        ("article", ""),
        ("main", ""),
        ("main", "<aside><article><p>It rains on Monday.</p></article></aside>"),
        ("article", "<h2>More</h2><article><h3>Rain</h3><p>It rains on Monday.</p></article>"),
    ],
)
def test_a_short_text_is_its_sentences_without_what_stands_around_them(part, more):
    body = f"""<html><head><title>Storm closes ports</title></head>
    <body><nav><a href="/">Home</a></nav> <div role="main"><{part}><h1>Storm closes ports</h1>
    <figure><img src="/a.jpg"><figcaption>Waves at the pier. Photo: Ann</figcaption></figure>
    <p>By Ann Writer</p> <time datetime="2026-11-28">28 November 2026</time>
    <p>The port was shut on Friday as a storm came in.</p><p>Ferries sail on Sunday.</p>
    </{part}>{more}<footer>Harbour News, Pier 2</footer></div></body></html>"""
    assert read_page(body.encode(), url=URL).summary == (
        "The port was shut on Friday as a storm came in. Ferries sail on Sunday."
    )


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("NewsArticle"),
    lambda one: st.lists(one, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["@type", "@graph", "@id", "publisher", "name", "image", "url", "width",
             "datePublished", "description", "mainEntity"]
        ),
        one,
        max_size=6,
    ),
)  # fmt: skip


@given(JUNK, st.integers(0, 40))
def test_junk_in_a_pages_data_breaks_nothing(data, cut):
    text = json.dumps(data).replace("<", "")
    head = in_data(data) + f"<script type='application/ld+json'>{text[cut:]}</script>"
    article_data(lxml.html.fromstring(f"<html><head>{head}</head></html>"))


def test_data_and_dates_take_steps_for_their_length():
    def work(unit, size):
        return lambda: read_dates(lxml.html.fromstring(f"<html><body>{unit * size}</body></html>"))

    def read_dates(tree):
        article_data(tree)
        published_at(tree, url=URL)

    for unit in (
        '<script type="application/ld+json">[{"@graph":[</script>',
        "<time>1 x",
        "<p class='date'>",
        "<div class=related><b itemprop=datePublished>",
        "<meta name=date>",
    ):
        once, twice = (count_steps(work(unit, size)) for size in (200, 400))
        assert twice < 2.5 * once, unit
