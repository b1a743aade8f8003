"""Read the bytes of an RSS, Atom or JSON feed into entries with the publisher's uncleaned texts."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import feedparser

from digest.feeds import packing, sanitise, urls, xml_faults
from digest.feeds.charset import to_text
from digest.feeds.dates import DateContext, context_of, read_date
from digest.feeds.images.choose import Image, entry_images
from digest.feeds.images.signs import is_named_image
from digest.feeds.json_feed import read_json_feed
from digest.feeds.polling.interval import wished
from digest.language import tag

# A feed of the day's news has 20 to 100 entries.
MAX_ENTRIES = 500
# Of a feed that is a gzip file; as many as one fetch may have.
MAX_UNPACKED_BYTES = 10_000_000
_FEED_LINK = re.compile(
    r"""<link\b(?=[^<>]*\btype=["']?application/(?:rss|atom)\+xml)[^<>]*\bhref=["']?([^"'\s>]+)""",
    re.IGNORECASE,
)
# What software writes where an author has written no title; Tumblr writes what kind it is.
_NO_TITLE = re.compile(
    r"[(\[]?(?:photo(?:set)?|video|untitled|no title|ohne titel|kein titel|sans titre|sin título"
    r"|sem título|無題|بدون عنوان)[)\]]?",
    re.IGNORECASE,
)
# Dublin Core has no `dc:created` and `dc:issued`, but feeds do.
_DATES = ("published", "prism_publicationdate", "dc_issued", "updated", "created", "dc_created")
# Some feeds have each word of a story among its categories, and one has a whole text as one.
_MOST_CATEGORIES = 50
_CATEGORY_LENGTH = 500
_ADDRESS = re.compile(r"(?<!\S)\S+@\S+")


class NotAFeed(Exception):
    """The bytes are no feed; the message says what they seem to be."""


@dataclass(frozen=True)
class FeedEntry:
    """One entry as the publisher wrote it; texts may be markup and have to be cleaned."""

    title: str
    link: str
    guid: str
    author: str
    published_at: datetime | None
    summary: str
    image: Image | None
    image_credit: str
    # The outlet that the entry comes from, if the feed collects several.
    source: str
    # A URL of that outlet.
    source_url: str = ""
    # The language that it says itself, as a BCP 47 tag; empty if that is the feed's.
    language: str = ""
    # The date of publication as it is written, and why the entry can be no story.
    written_date: str = ""
    fault: str = ""
    # What the publisher says that it is about: RSS and Atom categories, dc:subject, media:keywords,
    # JSON Feed's tags.
    categories: Sequence[str] = ()


@dataclass(frozen=True)
class ParsedFeed:
    """A feed's title and its entries in the feed's order."""

    title: str
    language: str
    entries: list[FeedEntry]
    # The oldest entries of a feed that has more than MAX_ENTRIES.
    left_out: Sequence[FeedEntry] = ()
    # The page that the feed belongs to, and the feed's own URL, as far as it names them.
    site_url: str = ""
    self_url: str = ""
    # Where the feed's changes are announced (WebSub), and for how many minutes the publisher wants
    # to be left alone, 0 if it does not say.
    hub_url: str = ""
    wished_minutes: int = 0


def parse(body: bytes, *, base_url: str, content_type: str = "") -> ParsedFeed:
    """Read RSS, Atom or JSON Feed; broken XML gives the entries that can be recovered.

    `content_type` is the HTTP header's, which may name the charset. The body may be a gzip file.
    Raises NotAFeed.
    """
    try:
        body = packing.unpack(body, max_bytes=MAX_UNPACKED_BYTES)
    except packing.CannotUnpack as error:
        raise NotAFeed(str(error)) from error
    if not body.strip():
        raise NotAFeed("It is empty.")
    text = to_text(body, content_type=content_type)
    feed, raw_entries = read_json_feed(text) or _read_xml(text, base_url, content_type)
    feed_base, language = _text(feed, "base") or base_url, _text(feed, "language")
    site_url = urls.web_url(_text(feed, "link"), base=feed_base)
    dates = context_of(
        (date for raw in raw_entries for date in _dates(raw)),
        language=language,
        host=urlsplit(site_url or urls.web_url(base_url)).netloc,
    )
    pictures = entry_images(
        raw_entries,
        base=base_url,
        feed_image=urls.web_url(_text(feed.get("image") or {}, "href"), base=feed_base),
    )
    entries = [
        _entry(raw, image=image, base_url=base_url, dates=dates, feed_language=tag(language))
        for raw, image in zip(raw_entries, pictures, strict=True)
    ]
    newest = _newest_first(entries) if len(entries) > MAX_ENTRIES else entries
    return ParsedFeed(
        title=_text(feed, "title"),
        language=language,
        entries=newest[:MAX_ENTRIES],
        left_out=newest[MAX_ENTRIES:],
        site_url=site_url,
        self_url=urls.web_url(_link_to(feed, "self"), base=feed_base),
        hub_url=urls.web_url(_link_to(feed, "hub"), base=feed_base),
        wished_minutes=wished(
            ttl=_text(feed, "ttl"),
            period=_text(feed, "sy_updateperiod"),
            frequency=_text(feed, "sy_updatefrequency"),
        ),
    )


def _read_xml(
    text: str, base_url: str, content_type: str
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """Return the feed and its entries as feedparser reads them; raise NotAFeed."""
    # `sanitise` removes markup (nh3) and `urls` resolves URLs, in half of feedparser's time. The
    # text is UTF-8 by now, and nothing in it says otherwise. feedparser has no base to resolve
    # against, so that a link such as `N/A` can be told from one.
    mended = xml_faults.mend(text)
    if reason := xml_faults.excess(mended):
        raise NotAFeed(_describe_page(text) or reason)
    bases = xml_faults.number_bases(mended, url=base_url)
    parsed = feedparser.parse(
        io.BytesIO(bases.markup.encode()),
        response_headers={
            "content-type": "application/xml; charset=utf-8",
            "content-location": f"{xml_faults.NO_BASE}0",
        },
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        raise NotAFeed(_describe_body(text, content_type))
    for raw in (parsed.feed, *parsed.entries):
        _state_bases(raw, bases)
    return parsed.feed, parsed.entries


def _state_bases(raw: dict[str, Any], bases: xml_faults.Bases) -> None:
    """Put the URL of each `xml:base` where feedparser has its number."""
    raw["base"] = bases.stated(raw.get("own-base"))
    for text in (raw.get("title_detail"), raw.get("summary_detail"), *(raw.get("content") or ())):
        if text:
            text["base"] = bases.stated(text.get("base"))
    for link in raw.get("links") or ():
        link["base"] = bases.stated(link.get("xml:base"))


def _newest_first(entries: list[FeedEntry]) -> list[FeedEntry]:
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(entries, key=lambda e: e.published_at or never, reverse=True)


def _link_to(feed: Mapping[str, Any], rel: str) -> str:
    links = (link for link in feed.get("links") or () if link.get("rel") == rel)
    return next((_text(link, "href") for link in links), "")


def _entry(
    raw: Mapping[str, Any],
    *,
    image: Image | None,
    base_url: str,
    dates: DateContext,
    feed_language: str,
) -> FeedEntry:
    link, guid = _link(raw, base_url=base_url), _text(raw, "id")
    title, summary = _title_and_summary(raw)
    # The first date that can be read, else the first that is there.
    written = sorted(_dates(raw), key=lambda date: read_date(date, dates) is None)
    return FeedEntry(
        title=title,
        link=link,
        guid=guid,
        author=_author(raw),
        published_at=read_date(written[0], dates) if written else None,
        summary=summary,
        image=image,
        image_credit=_text(raw, "credit"),
        # Bing has an element of its own for it.
        source=_text(raw.get("source") or {}, "title")
        or _text(raw, "news_source").removesuffix(" on MSN"),
        source_url=_text(raw.get("source") or {}, "href"),
        language=_language(raw, feed_language=feed_language),
        written_date=next(iter(written), ""),
        fault=_text(raw, "fault"),
        categories=_categories(raw),
    )


def _language(raw: Mapping[str, Any], *, feed_language: str) -> str:
    """Return the tag of `dc:language`, of JSON Feed's `language` or of `xml:lang`, if it is new."""
    # feedparser gives each text the nearest `xml:lang` around it, which may be the feed's.
    texts = (raw.get("title_detail"), raw.get("summary_detail"), *(raw.get("content") or ()))
    stated = (_text(raw, "language"), *(_text(text, "language") for text in texts if text))
    own = next(filter(None, map(tag, stated)), "")
    return "" if own == feed_language else own


def _link(raw: Mapping[str, Any], *, base_url: str) -> str:
    """Return the URL of the entry's page, or else of its file; empty if no link can be used."""
    links = raw.get("links") or ()
    # feedparser has made a permalink guid the link; some Atom feeds have their URL only in the id.
    guid, link = _text(raw, "id"), _text(raw, "link")
    base = _text(raw, "base") or base_url
    own_bases = {_text(link, "href"): _text(link, "base") for link in links}
    # A guid that does not say whether it is a link counts as one for feedparser.
    is_guid = link == guid and not re.match(r"https?:|/|www\.", link, re.IGNORECASE)
    stated = [
        # FeedBurner's own link counts the click and may end when its service does.
        _text(raw, "feedburner_origlink"),
        "" if is_guid else link,
        *(_text(link, "href") for link in links if link.get("rel") == "alternate"),
        guid if re.match(r"https?://", guid) else "",
        # A podcast's episode may have no page.
        *(_text(link, "href") for link in links if _is_file(link)),
    ]
    mended = (urls.mended_url(one, base=own_bases.get(one) or base) for one in stated)
    return next(filter(None, mended), "")


def _is_file(link: Mapping[str, Any]) -> bool:
    """Tell whether it is a file that a reader may be led to, such as an episode, and no picture."""
    if link.get("rel") != "enclosure":
        return False
    kind, url = _text(link, "type").lower(), _text(link, "href")
    return not kind.startswith("image/") and not is_named_image(url)


def _title_and_summary(raw: Mapping[str, Any]) -> tuple[str, str]:
    """Return the title, else the first sentence, and the first text that has a sentence."""
    title = _text(raw, "title")
    contents = (str(content.get("value") or "") for content in raw.get("content") or ())
    texts = [text for text in (_text(raw, "summary"), *contents) if text.strip()]
    if not sanitise.title(title) or _NO_TITLE.fullmatch(sanitise.title(title)):
        sentences = (html.escape(first) for text in texts if (first := sanitise.headline(text)))
        title = next(sentences, "")
    if len(texts) < 2:
        return title, "".join(texts)
    plain = sanitise.title(title)
    found = [(text, summary) for text in texts if (summary := sanitise.summary(text, title=plain))]
    whole = (text for text, summary in found if not summary.endswith("…"))
    return title, next(whole, found[0][0] if found else "")


def _text(raw: Mapping[str, Any], key: str) -> str:
    return str(raw.get(key) or "").strip()


def _author(raw: Mapping[str, Any]) -> str:
    """Return the names; `mail@example.com (Name)`, as in RSS, gives only the name."""
    # For one author feedparser's `name` is wrong if it does not know the top-level domain.
    several = [_text(author, "name") for author in raw.get("authors") or ()]
    names = several if len(several) > 1 else [_text(raw, "author")]
    names = [_ADDRESS.sub("", name).strip(" ()<>,") if "@" in name else name for name in names]
    return ", ".join(dict.fromkeys(filter(None, names)))


def _categories(raw: Mapping[str, Any]) -> list[str]:
    """Return what readers would call the categories: the label, else the term."""
    tags = (raw.get("tags") or ())[:_MOST_CATEGORIES]
    named = (_text(tag, "label") or _text(tag, "term") for tag in tags)
    return [name[:_CATEGORY_LENGTH] for name in named if name]


def _dates(raw: Mapping[str, Any]) -> list[str]:
    """Return when the entry was published, else last changed, as the publisher wrote it.

    feedparser reads dates, too, but believes what it understands of 2026/11/28: November the first.
    """
    # Reading a missing `updated` makes feedparser warn.
    found = (_text(raw, key) for key in _DATES if key in raw)
    return [date for date in found if date]


def _describe_body(text: str, content_type: str) -> str:
    kind = content_type.partition(";")[0].strip()[:60]
    return _describe_page(text) or f"It is neither RSS nor Atom{f' but {kind}' if kind else ''}."


def _describe_page(text: str) -> str:
    """Say that it is a web page, and where that has its feed; empty if it is none."""
    start = text[:200_000]
    if not re.search(r"<(?:!doctype html|html|body|head)\b", start[:5000], re.IGNORECASE):
        return ""
    if found := _FEED_LINK.search(start):
        return f"It is a web page, not a feed; the page says that its feed is {found[1][:300]}"
    return "It is a web page, not a feed."
