"""On broken input the parser raises no exception but its own."""

import contextlib

from hypothesis import example, given
from hypothesis import strategies as st

from digest.feeds.parse import NotAFeed, parse

PIECES = [
    "<rss version='2.0'>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<link>",
    "<guid>", "<pubDate>", "Tue, 32 Foo 99999 25:61:61 GMT", "<media:content url='x' width='-1'>",
    "<media:thumbnail>", "<enclosure type='image/x' url='//'>", "<![CDATA[", "]]>", "&", "&#0;",
    "&bogus;", "<feed xmlns='http://www.w3.org/2005/Atom'>", "<entry>", "<updated>",
    "9999-99-99T00:00:00Z", "<author>", "<name>", "<img src='http://[' width=1>", "<?xml", "?>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]>", "\0", "\ud7ff", "<content type='xhtml'>", "<source>", "<div",
    "<!", "<![", "<!-", "<category>",
]  # fmt: skip


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(st.sampled_from(PIECES), max_size=30).map(lambda p: "".join(p).encode()),
    )
)
@example(b"<rss><channel><item><title>x")
@example(b"\xff\xfe<\x00r\x00s\x00s\x00>\x00")
@example(b"<![")
def test_junk_is_parsed_or_raises_not_a_feed(body):
    with contextlib.suppress(NotAFeed):
        parse(body, base_url="https://example.com/feed", content_type="text/xml; charset=bogus")
