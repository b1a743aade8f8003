"""Read from a web page where its feeds are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urljoin, urlsplit

from lxml import etree

from digest.feeds import packing, sanitise, urls
from digest.feeds.charset import to_text
from digest.feeds.xml_faults import with_fewer_attributes

# A page's head is at its beginning, and so are the links of its masthead.
_MARKUP_LENGTH = 1_000_000
_MOST_LINKS = 3000
_MAX_UNPACKED_BYTES = 10_000_000
KINDS = {
    "application/rss+xml": "RSS",
    "application/atom+xml": "Atom",
    "application/rdf+xml": "RSS",
    "application/feed+json": "JSON Feed",
}
_FEED_PATH = re.compile(
    r"(?:/(?:rss|feed|feeds|atom)(?:\.xml|\.json|/)?|\.(?:rss|atom)|/(?:index|feed)\.(?:xml|rdf))$",
    re.IGNORECASE,
)
# The comments under a site's articles, which no newsletter prints.
_COMMENTS = re.compile(r"\bcomments?\b|\bkommentar|\bcommentaires\b|\bcomentarios\b", re.IGNORECASE)
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>", re.IGNORECASE)


@dataclass(frozen=True)
class FeedLink:
    """What a page says of one of its feeds; `kind` and `title` are empty if it does not say."""

    url: str
    title: str = ""
    kind: str = ""


def feed_links(body: bytes, *, url: str, content_type: str = "") -> list[FeedLink]:
    """Return the page's links to feeds, each once, those to comments last.

    They are what it names as alternates of itself or, if it names none, the links in its text whose
    addresses end as feeds' do. Empty too if the bytes are no page.
    """
    try:
        text = to_text(
            packing.unpack(body, max_bytes=_MAX_UNPACKED_BYTES), content_type=content_type
        )
    except packing.CannotUnpack:
        return []
    bounded = _XML_DECLARATION.sub("", _NO_TEXT.sub("", text[:_MARKUP_LENGTH]))
    parser = etree.HTMLParser(recover=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(with_fewer_attributes(bounded), parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    if root is None:
        return []
    base = next((_joined(url, str(one.get("href") or "")) for one in root.iter("base")), url)
    found = _alternates(root, base) or _by_path(root, base)
    once: dict[str, FeedLink] = {}
    for link in found:
        once.setdefault(link.url, link)
    return sorted(once.values(), key=_is_about_comments)


def _joined(url: str, href: str) -> str:
    try:
        return urljoin(url, href)
    except ValueError:  # such as `http://[`
        return url


def _alternates(root: etree._Element, base: str) -> list[FeedLink]:
    return [
        FeedLink(url, sanitise.name(str(link.get("title") or ""), 200), kind)
        for link in islice(root.iter("link"), _MOST_LINKS)
        if {"alternate", "feed"} & set(str(link.get("rel") or "").lower().split())
        and (kind := KINDS.get(str(link.get("type") or "").partition(";")[0].strip().lower()))
        and (url := urls.web_url(str(link.get("href") or ""), base=base))
    ]


def _by_path(root: etree._Element, base: str) -> list[FeedLink]:
    return [
        FeedLink(url, sanitise.name("".join(islice(link.itertext(), 20)), 200))
        for link in islice(root.iter("a"), _MOST_LINKS)
        if (url := urls.web_url(str(link.get("href") or ""), base=base))
        and _FEED_PATH.search(urlsplit(url).path[:1000])
    ]


def _is_about_comments(link: FeedLink) -> bool:
    return bool(_COMMENTS.search(f"{link.title} {urlsplit(link.url).path[:1000]}"))
