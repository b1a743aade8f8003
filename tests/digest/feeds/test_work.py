"""A publisher's text makes no parser of ours work out of proportion to its length."""

from __future__ import annotations

import contextlib
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.feeds import outlets, prose, sanitise, urls, xml_faults
from digest.feeds.charset import to_text
from digest.feeds.dates import MAX_LENGTH, context_of, read_date
from digest.feeds.images import choose
from digest.feeds.json_feed import read_json_feed
from digest.feeds.manual.pasted import NoArticle, read_pasted
from digest.feeds.packing import CannotUnpack, unpack
from digest.feeds.parse import NotAFeed, parse
from digest.ranking.sieve import no_news
from digest.shorten import truncate_at_sentence
from tests.support.steps import assert_steps_are_bounded, count_steps

MARKUP = st.text(
    alphabet="<>/=\"' &;#x1a!-[]…ÄÀ\u200b\n", min_size=1, max_size=8
) | st.sampled_from(
    [
        "<p>",
        "</p>",
        "<img src=a>",
        "<img ",
        "&amp;",
        "&lt;",
        "<!--",
        "<![CDATA[",
        "]]>",
        "<a href=",
        "<a xml:base='b/'>",
    ]
)
URLS = st.text(alphabet="ah:/?&=#@.%2[]-\\ é\u200b\t", min_size=1, max_size=8)


def read_article(text: str) -> None:
    with contextlib.suppress(NoArticle):
        read_pasted(text)


def read_feed(text: str) -> None:
    with contextlib.suppress(NotAFeed):
        parse(f"<rss><channel><item><description>{text}".encode(), base_url="https://a.example/")


def image_in(text: str) -> None:
    choose.entry_images([{"summary": text}], base="https://a.example/")


def image_at(text: str) -> None:
    choose.candidate(choose.Image(f"https://a.example/{text}"), base="")


def decode(text: str) -> None:
    to_text(f"<?xml{text}".encode("utf-16-le")[1:], content_type=text)


def read_json(text: str) -> None:
    start = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"content_html": '
    read_json_feed(f"{start}{json.dumps(text)}}}]}}")
    read_json_feed(start + text)


def number_bases(text: str) -> None:
    xml_faults.number_bases(f"<a xml:base='b/'>{text}", url="https://a.example/")


def take_outlet_off(text: str) -> None:
    outlets.without_outlet(text, "The Ledger")
    outlets.without_outlet(f"Storm – {text}", text[:200])
    outlets.outlet_named_by(text, text)
    outlets.is_only_headline(text, headline=text, outlet="Ledger")


@pytest.mark.parametrize(
    ("function", "per_character"),
    [
        (sanitise.plain_text, 40), (sanitise.summary, 40), (sanitise.title, 40),
        (read_article, 200), (image_in, 40), (lambda text: truncate_at_sentence(text, 300), 40),
        (sanitise.headline, 40), (prose.has_markup, 40), (prose.article_blocks, 40),
        (xml_faults.mend, 40), (xml_faults.excess, 40), (number_bases, 40),
        (xml_faults.with_fewer_attributes, 40), (decode, 40), (read_json, 40), (image_at, 40),
        # feedparser takes some hundred lines for each tag.
        (read_feed, 400), (take_outlet_off, 40), (no_news, 40),
    ],
    ids=["plain text", "summary", "title", "pasted", "image", "shorten", "headline",
         "evidence of markup", "blocks", "mended XML", "too much of XML", "bases",
         "attributes", "charset", "JSON Feed", "image URL", "feed", "outlet", "no news"],
)  # fmt: skip
def test_markup_takes_steps_for_its_length(function, per_character):
    @settings(max_examples=25, derandomize=True, database=None)
    @given(MARKUP)
    def check(unit):
        assert_steps_are_bounded(function, unit, per_character=per_character)

    check()


@pytest.mark.parametrize(
    "function",
    [
        urls.canonical_url, urls.identity, lambda text: urls.guid_key(text, feed_url="https://a.example/"),
        lambda text: urls.web_url(text, base="https://a.example/"), choose.parse_pixels,
        lambda text: urls.mended_url(text, base="https://a.example/"),
    ],
    ids=["canonical", "identity", "guid", "relative", "pixels", "mended"],
)  # fmt: skip
def test_a_url_takes_steps_for_its_length(function):
    @settings(max_examples=25, derandomize=True, database=None)
    @given(st.sampled_from(["", "https://a.example/"]), URLS)
    def check(start, unit):
        assert_steps_are_bounded(lambda text: function(start + text), unit)

    check()


DATES = st.lists(
    st.sampled_from(
        ["15", "2026", "11", ".", "/", "-", ",", ":", " ", "T", "a", "mars", "日", "é"]
    ),
    max_size=40,
).map("".join)


def test_a_date_takes_steps_for_its_length():
    context = context_of([])

    @settings(max_examples=50, derandomize=True, database=None, deadline=None)
    @given(DATES)
    def check(text):
        read_date(text, context)  # what the words mean is looked up once for each feed
        assert count_steps(lambda: read_date(text, context)) < 1000 + 40 * MAX_LENGTH

    check()
    assert len(context.words) <= 200


@given(
    body=st.binary(max_size=60) | st.binary(max_size=60).map(gzip.compress),
    cut=st.integers(0, 40),
    coding=st.sampled_from(["", "gzip", "deflate", "br", "gzip, gzip", "UTF-8", "x-gzip,\x00"]),
)
def test_whatever_a_body_is_it_is_unpacked_within_its_limit_or_refused(body, cut, coding):
    with contextlib.suppress(CannotUnpack):
        packed = body[: len(body) - cut]
        unpacked = unpack(packed, content_encoding=coding, max_bytes=50)
        assert unpacked == packed or len(unpacked) <= 50
