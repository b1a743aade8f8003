"""Publishers' markup and URLs are made safe to print."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.feeds import sanitise, urls


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Plain words", "Plain words"),
        ("<p>One.</p><p>Two.</p>", "One. Two."),
        ("AT&amp;T buys <b>Bolt</b>", "AT&T buys Bolt"),
        ("AT&amp;amp;amp;T", "AT&T"),
        ("&lt;b&gt;Escaped&lt;/b&gt; once more", "Escaped once more"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("<script>alert(1)</script>Safe<style>p{}</style>", "Safe"),
        ("\n  A title\r\n  over lines\t", "A title over lines"),
        ("It&rsquo;s caf&eacute;", "It’s café"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("a\x00b\x07c\ufeff", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("<img src=x onerror=alert(1)>", ""),
        ("line<br/>break", "line break"),
        ("", ""),
    ],
)
def test_markup_becomes_one_line_of_text(markup, text):
    assert sanitise.plain_text(markup) == text


junk = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("<>&;#\"'/ \n\u0338\u202e\u200b\u037e"),
        st.sampled_from("ampltgbr"),
    ),
    max_size=200,
)


@given(junk)
@example("&amp;amp;lt;b&amp;amp;gt;")
@example("&" + "amp;" * 3000 + "lt;b")
@example("&#38;amp;#x26;" * 30 + "lt;p&gt;")
@example("<\u0338&lt\u037e")
@example("\ud800")
def test_cleaned_text_has_no_control_characters_and_cleaning_again_changes_nothing(markup):
    text = sanitise.plain_text(markup)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)
    assert sanitise.plain_text(text) == text


def test_a_long_title_is_truncated_between_words():
    title = sanitise.title("word " * 100)
    assert len(title) <= 300
    assert title.endswith("word…")


def test_a_long_text_without_spaces_is_truncated_too():
    assert sanitise.truncate("漢" * 400, 300) == "漢" * 299 + "…"


@given(st.text(max_size=60), st.integers(2, 40))
def test_a_truncated_text_keeps_its_limit_and_is_not_truncated_again(text, limit):
    truncated = sanitise.truncate(text, limit)
    assert len(truncated) <= limit
    assert sanitise.truncate(truncated, limit) == truncated


@pytest.mark.parametrize(
    ("markup", "summary"),
    [
        ("<p>It rained.</p><p>The post A title appeared first on The Site.</p>", "It rained."),
        ("What happened [&#8230;]", "What happened…"),
        ("What happened. Continue reading…", "What happened."),
        ("What happened. Read more", "What happened."),
        ("Read more about rivers and their mouths.", "Read more about rivers and their mouths."),
        ("A Title", ""),
    ],
)  # fmt: skip
def test_a_summary_loses_the_tail_of_blog_software(markup, summary):
    assert sanitise.summary(markup, title="A title") == summary


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


@given(st.one_of(junk, junk.map("https://example.com/".__add__), junk.map("http://".__add__)))
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
