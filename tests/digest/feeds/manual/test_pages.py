"""An article's page gives its text in the right letters, and a picture that a mail can show."""

import gzip

import pytest

from digest.feeds.manual import by_hand
from digest.feeds.manual.pages import read_page
from tests import factories
from tests.factories import NOW

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
