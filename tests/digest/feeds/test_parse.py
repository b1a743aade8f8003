"""Feeds in the formats that publishers really serve become entries."""

import gzip
import json
from datetime import UTC, datetime

import feedparser
import pytest

from digest.feeds import sanitise, xml_faults
from digest.feeds.images.choose import Image
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
    assert (boat.author, boat.image_credit) == ("Ada Quay", "Sam Pier")
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


def test_bings_picture_is_found_though_it_has_a_name_of_its_own():
    xml = "<News:Image>http://www.bing.com/th?id=A.b&amp;pid=News</News:Image>"
    size = "<News:ImageMaxWidth>700</News:ImageMaxWidth>"
    assert only(item(more=xml + size)).image == Image("http://www.bing.com/th?id=A.b&pid=News", 700)


@pytest.mark.parametrize("name", ["dc:created", "dc:issued", "prism:publicationDate"])
def test_a_date_may_have_a_name_that_no_standard_gives_it(name):
    date = f"<{name}>2026-11-28T08:00:00Z</{name}>"
    assert only(item(more=date)).published_at == datetime(2026, 11, 28, 8, tzinfo=UTC)


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


def item(title="A title", link="https://harbour.example/a", description="", more=""):
    return (
        f"<item><title>{title}</title><link>{link}</link>"
        f"<description>{description}</description>{more}</item>"
    )


NAMESPACES = (
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:News="https://www.bing.com/news/search?q=harbour&amp;format=rss"'
    ' xmlns:prism="http://prismstandard.org/namespaces/basic/2.0/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
)


def only(*items, declared="utf-8", charset="utf-8", **kwargs):
    """Return the one entry of a feed with this item."""
    text = (
        f'<?xml version="1.0" encoding="{declared}"?><rss version="2.0"{NAMESPACES}><channel>'
        f"<title>Post</title>{''.join(items)}</channel></rss>"
    )
    [entry] = feed(text.encode(charset), **kwargs).entries
    return entry


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("AT&T earnings rise, S&P 500 falls", "AT&T earnings rise, S&P 500 falls"),
        ("Fish & Chips: D&D club", "Fish & Chips: D&D club"),
        ("<![CDATA[AT&T &amp; S&P]]>", "AT&T & S&P"),
        ("AT&amp;amp;T", "AT&T"),
        ("Tea&nbsp;&mdash; caf&eacute; &bogus;", "Tea — café &bogus;"),
        ("5 < 6, I <3 you", "5 < 6, I <3 you"),
        ("The sea&region of 1998", "The sea&region of 1998"),
        ("Cut\x0b &#0;short &#x1F;", "Cut short"),
        ("How to use &lt;div&gt;", "How to use <div>"),
        ("<![CDATA[The <script> tag]]>", "The <script> tag"),
        ("List&lt;String&gt; explained", "List<String> explained"),
        ("A &lt;b&gt;bold&lt;/b&gt; move", "A bold move"),
        ("Cut &lt;b&gt;off", "Cut off"),
        ("One&lt;br/&gt;two", "One two"),
    ],
)
def test_the_title_is_the_text_that_its_author_wrote(written, title):
    assert sanitise.title(only(item(title=written)).title) == title


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("{{ url }}", ""), ("https://", ""), ("http://localhost/a", ""),
        ("https://www.harbour.example/\n  a", "https://www.harbour.example/a"),
        ("N/A", ""), ("none", ""), ("#", ""), ("javascript:void(0)", ""), ("http://", ""),
        ("www.harbour.example/a", "https://www.harbour.example/a"),
        ('"https://www.harbour.example/a"', "https://www.harbour.example/a"),
        ("&lt;https://www.harbour.example/a&gt;", "https://www.harbour.example/a"),
        (
            '&lt;a class="x" href="https://www.harbour.example/a"&gt;a&lt;/a&gt;',
            "https://www.harbour.example/a",
        ),
        ("http://https://www.harbour.example/a", "https://www.harbour.example/a"),
        ("https://www.harbour.examplehttps://www.harbour.example/a", "https://www.harbour.example/a"),
        ("https://harbour.example/https://harbour.example/a", "https://harbour.example/a"),
        ("https://web.example/https://harbour.example/a", "https://web.example/https://harbour.example/a"),
        ("http//harbour.example/a", "http://harbour.example/a"),
        ("https:/harbour.example/a", "https://harbour.example/a"),
        ("harbour.example/a", "https://harbour.example/a"),
        ("//harbour.example/a", "https://harbour.example/a"),
        ("/a?b=1&amp;amp;c=2", "https://harbour.example/a?b=1&c=2"),
        ("https://harbour.example/a#story-3", "https://harbour.example/a#story-3"),
    ],
)  # fmt: skip
def test_a_careless_link_is_mended_or_is_none(written, link):
    assert only(item(link=written)).link == link


@pytest.mark.parametrize(
    ("parts", "link"),
    [
        (
            "<link>https://feeds.example/~r/1</link>"
            "<feedburner:origLink>https://a.example/1</feedburner:origLink>",
            "https://a.example/1",
        ),
        ('<enclosure url="https://a.example/1.mp3" type="audio/mpeg"/>', "https://a.example/1.mp3"),
        (
            '<guid isPermaLink="false">https://a.example/1</guid>'
            '<enclosure url="https://a.example/1.mp3" type="audio/mpeg"/>',
            "https://a.example/1",
        ),
        ("<guid>harbour-43</guid>", ""),
        ('<enclosure url="https://a.example/1" type="image/jpeg"/>', ""),
        (
            '<enclosure url="https://a.example/1.jpg"/>'
            '<enclosure url="https://a.example/1.mp3" type="audio/mpeg"/>',
            "https://a.example/1.mp3",
        ),
    ],
    ids=[
        "FeedBurner",
        "a podcast's file",
        "a podcast's page",
        "an id that is no link",
        "a picture",
        "a picture and a file",
    ],
)
def test_an_entry_without_a_link_of_its_own_has_that_of_its_page_or_file(parts, link):
    assert only(f"<item><title>A title</title>{parts}</item>").link == link


RSS_WITH_BASE = (
    '<rss version="2.0" xml:base="https://harbour.example/"><channel><title>T</title>{}'
    "</channel></rss>"
)
ATOM_WITH_BASES = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://harbour.example/x/">'
    '<link rel="self" href="/feed.xml"/><link href="./"/>'
    '<entry xml:base="2026/"><title xml:base="/none/">A title</title>{}</entry></feed>'
)


@pytest.mark.parametrize(
    ("written", "link"),
    [
        ("www.harbour.example/a1", "https://www.harbour.example/a1"), ("N/A", ""), ("#", ""),
        ("a1", "https://harbour.example/{}a1"), ("/a1", "https://harbour.example/a1"),
        ("http://https://harbour.example/a1", "https://harbour.example/a1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["", "<broken></xml>"], ids=["whole", "broken"])
def test_a_base_makes_no_link_of_what_is_none(written, link, end):
    rss = item(link=written, more='<guid isPermaLink="false">g1</guid>')
    [in_rss] = feed(RSS_WITH_BASE.format(rss + end).encode()).entries
    atom = f'<id>g1</id><link href="{written}"/>{end}'
    [in_atom] = feed(ATOM_WITH_BASES.format(atom).encode()).entries

    assert (in_rss.link, in_rss.guid) == (link.format(""), "g1")
    assert (in_atom.link, in_atom.guid) == (link.format("x/2026/"), "g1")


@pytest.mark.parametrize("url", ["", "https://feeds.example/1"])
def test_a_base_counts_for_what_is_inside_of_it_alone(url):
    entries = (
        '<link href="one" xml:base="1/"/><content type="html" xml:base="https://cdn.example/">'
        '&lt;img src="a.jpg"></content></entry>'
        '<entry><title>Two</title><link href="two"/><content>&lt;img src="b.jpg"></content>'
    )
    parsed = feed(ATOM_WITH_BASES.format(entries).encode(), base_url=url)

    assert [(entry.link, entry.image.url) for entry in parsed.entries] == [
        ("https://harbour.example/x/2026/1/one", "https://cdn.example/a.jpg"),
        ("https://harbour.example/x/two", "https://harbour.example/x/b.jpg"),
    ]
    assert parsed.site_url == "https://harbour.example/x/"
    assert parsed.self_url == "https://harbour.example/feed.xml"


def test_bases_take_no_memory_out_of_proportion():
    nested = f"<item xml:base='{'a' * 400}/'>" * 400
    beside = "".join(f"<item xml:base='{number}/'></item>" for number in range(10_000))
    for markup in (nested, f"<rss xml:base='{'a' * 400}/'>{beside}"):
        bases = xml_faults.number_bases(markup, url="https://a.example/")
        assert len(bases.markup) + sum(map(len, bases.urls)) < 20 * len(markup)


def test_an_entry_without_a_title_has_its_first_sentence():
    entry = only(
        "<item><description>It rained &amp;amp; blew. Boats stayed in.</description></item>"
    )
    title = sanitise.title(entry.title)

    assert title == "It rained & blew."
    assert sanitise.summary(entry.summary, title=title) == "Boats stayed in."


def test_the_text_is_read_where_the_description_has_no_sentence():
    text = "<content:encoded>&lt;p&gt;It rained.&lt;/p&gt;</content:encoded>"
    entry = only(item(description="&lt;img src='/a.jpg'&gt;", more=text))

    assert sanitise.summary(entry.summary) == "It rained."


def test_a_json_feed_is_read():
    body = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Post",
        "language": "en",
        "items": [
            {
                "id": 7, "url": "/7", "title": "How to use <div> & co",
                "authors": [{"name": "Ada"}], "content_html": "<p>It rained.</p>",
                "image": "/7.svg", "banner_image": "/7.jpg",
                "date_published": "2026-11-28T20:00:00+01:00",
            },
            {
                "id": "8", "external_url": "https://b.example/8", "author": {"name": "Bo"},
                "content_text": "1 < 2. It is.", "date_published": "today",
            },
            {"attachments": [{"url": "/9.mp3", "mime_type": "audio/mpeg"}, 3], "content_text": 9},
            "no item",
        ],
    }  # fmt: skip
    parsed = feed(json.dumps(body).encode())
    first, second, third, none = parsed.entries
    assert none.fault == "It is no JSON object."

    assert (parsed.title, parsed.language) == ("Post", "en")
    assert (first.guid, first.link, first.author) == ("7", "https://harbour.example/7", "Ada")
    assert sanitise.title(first.title) == "How to use <div> & co"
    assert first.published_at == datetime(2026, 11, 28, 19, tzinfo=UTC)
    assert first.image == Image("https://harbour.example/7.jpg")
    assert (sanitise.title(second.title), second.link) == ("1 < 2.", "https://b.example/8")
    assert (second.author, second.published_at) == ("Bo", None)
    assert third.link == "https://harbour.example/9.mp3"


@pytest.mark.parametrize(
    ("item", "link"),
    [
        ({"url": "https://a.example/1", "external_url": "https://b.example/"}, "https://a.example/1"),
        ({"url": "N/A", "external_url": "https://b.example/"}, "https://b.example/"),
        ({"url": "N/A", "external_url": "", "id": "https://a.example/1"}, "https://a.example/1"),
        ({"url": "#", "external_url": "https://b.example/", "id": "https://a.example/1"},
         "https://b.example/"),
        ({"url": 7, "id": "7"}, ""),
    ],
)  # fmt: skip
def test_a_json_feeds_entry_leads_to_the_first_of_its_urls_that_can_be_used(item, link):
    body = {"version": "https://jsonfeed.org/version/1.1", "items": [{"title": "A"} | item]}
    assert [entry.link for entry in feed(json.dumps(body).encode()).entries] == [link]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"items": 1}'])
def test_other_json_is_no_feed(body):
    with pytest.raises(NotAFeed):
        feed(body)


def test_a_feed_may_be_a_gzip_file(sample):
    assert len(feed(gzip.compress(sample("feeds/rss-media.xml"))).entries) == 5
    with pytest.raises(NotAFeed, match="larger than 10 MB"):
        feed(gzip.compress(b" " * 11_000_000))


NEWS = "Паром вышел из порта"


@pytest.mark.parametrize(
    ("declared", "charset", "content_type"),
    [
        ("windows-1251", "utf-8", "application/xml"),
        ("utf-16", "utf-8", "text/xml; charset=iso-8859-1"),
        ("windows-1251", "utf-8-sig", "text/xml"),
        ("utf-8", "cp1251", "text/xml; charset=windows-1251"),
        ("windows-1251", "cp1251", "text/xml; charset=utf-8"),
        ("windows-1251", "cp1251", "text/xml; charset=ISO-8859-1"),
        ("koi8-r", "koi8-r", "text/xml"),
        ("utf-8", "cp1251", ""),
        ("utf-8", "utf-16", "text/xml; charset=utf-8"),
        ("utf-16", "utf-16-le", ""),
        ("idna", "cp1251", "text/xml; charset=unicode_escape"),
    ],
)
def test_the_bytes_are_believed_before_a_declaration(declared, charset, content_type):
    entry = only(item(title=NEWS), declared=declared, charset=charset, content_type=content_type)
    assert entry.title == NEWS


@pytest.mark.parametrize("title", ["Untitled", "(no title)", "[Ohne Titel]", "無題", "Photo"])
def test_what_software_writes_for_a_title_is_none(title):
    item = f"<item><title>{title}</title><description>It rained. It poured.</description></item>"
    parsed = feed(f"<rss version='2.0'><channel>{item}</channel></rss>".encode())
    assert [entry.title for entry in parsed.entries] == ["It rained."]


def test_a_text_of_whole_sentences_is_taken_before_one_that_is_cut():
    texts = (
        "<description>It rained and...</description><x:encoded>It rained. It poured.</x:encoded>"
    )
    body = f"<item><title>A</title>{texts}</item>"
    xmlns = "xmlns:x='http://purl.org/rss/1.0/modules/content/'"
    parsed = feed(f"<rss version='2.0' {xmlns}><channel>{body}</channel></rss>".encode())
    assert [entry.summary for entry in parsed.entries] == ["It rained. It poured."]


def attributes(count, sign="="):
    return "".join(f" attribute{n}{sign}'>'" for n in range(count))


ENTRY = "<rss version='2.0'><channel><item><title>A boat</title>{}</item></channel></rss>"


@pytest.mark.parametrize(
    ("markup", "reason"),
    [
        (f"<x{attributes(201)}/>", "tag of it has more than 200"),
        (f"<x{attributes(201, ' = ')}></x>", "tag of it has more than 200"),
        ("<x>" * 501 + "</x>" * 501, "More than 500 of its tags are in each other"),
        ("<br xml:base='a/'>" * 501, "More than 500 of its tags are in each other"),
        ("<item>" * 501, "More than 500 of its tags are in each other"),
        ("<x/>" * 300_001, "more than 300,000 tags"),
    ],
    ids=["attributes", "spaced attributes", "nested", "nested bases", "nested entries", "tags"],
)
def test_what_parsers_take_long_over_is_refused_before_with_the_reason(markup, reason):
    with pytest.raises(NotAFeed, match=reason):
        parse(ENTRY.format(markup).encode(), base_url="")


@pytest.mark.parametrize(
    "markup",
    [
        f"<x{attributes(200)}/>",
        f"<x a='{'b=1&amp;' * 201}'/>",
        "<x>" * 400 + "</x>" * 400,
        "<description><p>One<br><p>Two<br></description>" * 300,
        f"<description><![CDATA[{'<x>' * 501}]]></description>",
        f"<!--{'<x>' * 501}--><?x {'<x>' * 501}?>",
    ],
    ids=["attributes", "long value", "nested", "unclosed paragraphs", "cdata", "other"],
)
def test_what_feeds_have_and_what_is_no_tag_is_not_too_much(markup):
    assert [e.title for e in parse(ENTRY.format(markup).encode(), base_url="").entries] == [
        "A boat"
    ]


@pytest.mark.parametrize("value", ["", "=1", "='>'", '="<"'])
def test_a_tag_of_html_keeps_its_first_attributes_alone(value):
    tag = "<img src='/a.jpg'" + "".join(f" a{n}{value}" for n in range(500)) + ">It's <b>on</b>."
    bounded = xml_faults.with_fewer_attributes(tag)

    assert bounded.startswith("<img src='/a.jpg' a0")
    assert bounded.endswith(f" a198{value}>It's <b>on</b>.")
    assert xml_faults.with_fewer_attributes(bounded) == bounded


def test_a_large_web_page_is_said_to_be_one():
    with pytest.raises(NotAFeed, match="It is a web page"):
        parse(f"<html><body>{'<p>' * 501}".encode(), base_url="")


def test_of_an_entrys_categories_only_the_first_are_read_as_feedparser_compares_each_with_all():
    few = "<category>a</category><a:Subject>b</a:Subject><media:keywords>c,d</media:keywords>"
    many = "".join(f"<category>{n}</category>" for n in range(90))
    words = ",".join(map(str, range(900)))
    for markup, count in ((few, 3), (many, 50), (f"<media:keywords>{words}</media:keywords>", 0)):
        parsed = feedparser.parse(xml_faults.mend(ENTRY.format(markup)))
        assert [len(entry.get("tags", [])) for entry in parsed.entries] == [count]
        assert parsed.entries[0].title == "A boat"
