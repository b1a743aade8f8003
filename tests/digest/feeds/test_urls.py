"""Publishers' URLs are brought into one form, by which a story is recognised."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.feeds import urls
from tests.digest.feeds.test_sanitise import JUNK


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://Example.COM:443", "https://example.com/"),
        ("HTTP://example.com:80/a", "http://example.com/a"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a?utm_source=rss&id=7&utm_medium=x#top", "https://example.com/a?id=7"),
        ("https://example.com/?p=123&fbclid=abc", "https://example.com/?p=123"),
        ("https://example.com/a?b=2&a=1", "https://example.com/a?b=2&a=1"),
        ("https://example.com/a?at_medium=RSS&at_campaign=rss", "https://example.com/a"),
        ("https://example.com/news.php?pk_news=812&pk_campaign=x", "https://example.com/news.php?pk_news=812"),
        ("https://example.com/a;jsessionid=1F?PHPSESSID=2", "https://example.com/a"),
        ("https://example.com/#!/story/7", "https://example.com/#!/story/7"),
        ("https://example.com/a?partner=rss&smid=tw&cmp=x&mc_cid=1&gclid=2", "https://example.com/a"),
        ("https://example.com/naïve path?q=é", "https://example.com/na%C3%AFve%20path?q=%C3%A9"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("https://[2001:DB8::1]/a", "https://[2001:db8::1]/a"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("ftp://example.com/a", ""),
        ("https:///a", ""),
        ("//example.com/a", ""),
        ("https://exa mple.com/", ""),
        ("https://example.com:port/", ""),
        ("https://example.com/" + "a" * 2000, ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_url_is_brought_to_its_canonical_form(url, canonical):
    assert urls.canonical_url(url) == canonical


def test_a_relative_url_is_resolved_against_its_base():
    assert urls.web_url("../b?x=1", base="https://example.com/a/c") == "https://example.com/b?x=1"


@given(st.one_of(JUNK, JUNK.map("https://example.com/".__add__), JUNK.map("http://".__add__)))
@example("http://\u2100/")
@example("https://[::1%25eth0]/")
def test_any_junk_gives_a_canonical_url_or_an_empty_string(url):
    canonical = urls.canonical_url(url)
    assert canonical == "" or canonical.startswith(("http://", "https://"))
    assert canonical.isascii()
    assert not set(canonical) & set(' <>"\n\r\t')
    assert urls.canonical_url(canonical) == canonical
    assert len(urls.identity(url)) == 64


def test_several_spellings_of_a_url_are_one_story():
    spellings = [
        "https://www.example.com/a/?utm_source=x",
        "http://example.com/a",
        "https://EXAMPLE.com/a#comments",
    ]
    assert len({urls.identity(url) for url in spellings}) == 1
    assert urls.identity("https://example.com/a?id=1") != urls.identity(
        "https://example.com/a?id=2"
    )


def test_a_bare_number_as_guid_is_unique_only_within_its_feed():
    one = urls.guid_key("4711", feed_url="https://a.example/feed")
    assert one != urls.guid_key("4711", feed_url="https://b.example/feed")
    tag = "tag:a.example,2026:1"
    assert urls.guid_key(tag, feed_url="https://a.example/feed") == urls.guid_key(
        tag, feed_url="https://b.example/feed"
    )
    assert urls.guid_key(" ", feed_url="https://a.example/feed") == ""
