"""Read an article's web page into what a digest prints of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import trafilatura
from lxml import etree
from trafilatura.settings import use_config

from digest.feeds import sanitise, urls
from digest.feeds.charset import to_text
from digest.feeds.images.choose import (
    NAMED_BY_PUBLISHER,
    Image,
    ImageCandidate,
    candidate,
    choose,
    text_candidates,
)
from digest.feeds.images.tags import parse_pixels, tags_below
from digest.feeds.manual.json_ld import ArticleData, article_data
from digest.feeds.manual.page_dates import published_at
from digest.feeds.packing import CannotUnpack, unpack
from digest.feeds.parse import MAX_UNPACKED_BYTES
from digest.feeds.prose import article_blocks
from digest.feeds.xml_faults import with_fewer_attributes
from digest.shorten import truncate_at_sentence

_XML_DECLARATION = re.compile(r"^\s*+<\?xml\b[^<>]*+\?>")
_HOST_NAME = re.compile(r"[\w-]++(?:\.[\w-]++)++", re.IGNORECASE)
_ARTICLES = "//article | //main | //*[@role='main'] | //*[@itemprop='articleBody']"
# For a text shorter than this, trafilatura takes the whole article as one paragraph: with its
# headline, caption, byline and date.
_SHORT = 250
_WITHOUT_FALLBACK = use_config()
_WITHOUT_FALLBACK.set("DEFAULT", "MIN_EXTRACTED_SIZE", "1")
_LONGEST_MARKUP = 100_000  # of a short text
_MOST_METAS = 500
_MOST_NAMED = 5


@dataclass(frozen=True)
class WebPage:
    """What a page says of its article: plain texts, ready to store; empty where it says nothing."""

    url: str
    title: str
    summary: str
    author: str
    site_name: str
    published_at: datetime | None
    image: Image | None
    image_alt: str
    # The date of publication as the page writes it, even if it cannot be read.
    written_date: str = ""


def read_page(body: bytes, *, url: str, content_type: str = "") -> WebPage | None:
    """Return the page at `url`; None if the bytes are no web page or have no headline.

    `content_type` is the HTTP header's, which may name the charset. The body may be a gzip file.
    """
    tree = _tree(body, content_type)
    if tree is None:
        return None
    stated = article_data(tree)
    image = choose(_images(tree, stated, base=url))
    published, written_date = published_at(tree, url=url, named=stated.published)
    found = trafilatura.extract_metadata(tree, default_url=url)
    site_name = _site_name(tree, stated.publisher, found.sitename or "")
    title = _without_site(sanitise.title(found.title or ""), site_name)
    if not title:
        return None
    return WebPage(
        url=trusted_canonical_url(_canonical_link(tree), page_url=url),
        title=title,
        summary=_summary(tree, (found.description or "", stated.description), title),
        author=sanitise.name(found.author or "", 200),
        site_name=site_name,
        published_at=published,
        image=image.image if image else None,
        image_alt=sanitise.name(image.alt, 300) if image else "",
        written_date=written_date,
    )


def _tree(body: bytes, content_type: str) -> Any:
    try:
        body = unpack(body, max_bytes=MAX_UNPACKED_BYTES)
    except CannotUnpack:
        return None
    text = to_text(body, content_type=content_type)
    # lxml reads no text that declares an encoding, and this one has none any more.
    return trafilatura.load_html(with_fewer_attributes(_XML_DECLARATION.sub("", text)))


def trusted_canonical_url(link: str, *, page_url: str) -> str:
    """Return the canonical URL that the page names if it is on the same site, else the page's own.

    A page may name any other page as its canonical one, so only its own site is trusted. The front
    page is never the canonical form of an article, though careless templates say so.
    """
    own, named = urls.canonical_url(page_url), urls.canonical_url(link, base=page_url)
    own_parts, named_parts = urlsplit(own), urlsplit(named)
    is_front = named_parts.path == "/" and not named_parts.query and own_parts.path != "/"
    same_site = bool(named) and _is_same_site(own_parts.hostname or "", named_parts.hostname or "")
    return named if same_site and not is_front else own


def _is_same_site(one: str, other: str) -> bool:
    """Tell whether the hosts are equal or one is below the other.

    So `m.example.com` and `www.example.com` belong to example.com.
    """
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _meta(tree: Any, name: str) -> str:
    found = tree.xpath("//meta[@property=$name or @name=$name]/@content", name=name)
    return str(found[0]) if found else ""


def _canonical_link(tree: Any) -> str:
    found = tree.xpath("//link[@rel='canonical']/@href")
    return str(found[0]) if found else ""


def _images(tree: Any, data: ArticleData, *, base: str) -> Iterator[ImageCandidate]:
    """Yield the images that the page names as its own, then those of its article."""
    base = urls.web_url(str(tree.xpath("string(//base/@href)")), base=base) or base
    in_data = ((image, "", "") for image in data.images)
    for stated, kind, alt in (*_open_graph(tree), *_other_names(tree), *in_data):
        if found := candidate(stated, base=base, weight=NAMED_BY_PUBLISHER, kind=kind, alt=alt):
            yield found
    for part in tree.xpath(_ARTICLES)[:1] or [tree]:
        yield from text_candidates(tags_below(part), base=base)


def _open_graph(tree: Any) -> Iterator[tuple[Image, str, str]]:
    """Yield each og:image with the type and text that follow it (https://ogp.me/#structured)."""
    found: list[dict[str, str]] = []
    for meta in tree.xpath("//meta[@content]")[:_MOST_METAS]:
        name = str(meta.get("property") or meta.get("name") or "").lower()
        value = str(meta.get("content")).strip()
        is_url = name in ("og:image", "og:image:url", "og:image:secure_url")
        if is_url and value and (name == "og:image" or not found):
            found.append({"url": value})
        elif name.startswith("og:image:") and found:
            found[-1].setdefault(name.removeprefix("og:image:"), value)
    for one in found[:_MOST_NAMED]:
        size = (parse_pixels(one.get(side)) for side in ("width", "height"))
        yield Image(one["url"], *size), one.get("type", ""), one.get("alt", "")


def _other_names(tree: Any) -> Iterator[tuple[Image, str, str]]:
    alt = _meta(tree, "twitter:image:alt")
    for name in ("twitter:image", "twitter:image:src"):
        if url := _meta(tree, name):
            yield Image(url), "", alt
    for link in tree.xpath("//link[@rel='image_src']/@href")[:1]:
        yield Image(str(link)), "", ""


def _without_site(title: str, site_name: str) -> str:
    """Return the title without the outlet's name, with which `<title>` mostly ends."""
    bare = title.removesuffix(site_name) if site_name else title
    return bare.rstrip(" -|:\u2013\u2014\u00b7") if bare != title and bare.strip() else title


def _site_name(tree: Any, publisher: str, found: str) -> str:
    """Return the outlet's name; empty if there is only that of a host, which may be another's."""
    named = _meta(tree, "og:site_name") or publisher
    return sanitise.name(named or ("" if _HOST_NAME.fullmatch(found) else found))


def _summary(tree: Any, descriptions: Sequence[str], title: str) -> str:
    """Return the first description of whole sentences, else the article's, else what there is."""
    found = [sanitise.summary(each, title=title) for each in descriptions]
    whole = next((text for text in found if text and not text.endswith("…")), "")
    if whole:
        return whole
    text = truncate_at_sentence(_paragraphs(tree, title), sanitise.BODY_SUMMARY_LENGTH)
    return text or next(filter(None, found), "")


def _paragraphs(tree: Any, title: str) -> str:
    text = _extract(tree, config=_WITHOUT_FALLBACK)
    blocks = _short_article(tree, title) if len(text) < _SHORT else []
    if not blocks:
        text = text if len(text) >= _SHORT else _extract(tree)
        blocks = article_blocks("\n\n".join(text.splitlines()), title=title)
    return " ".join(map(sanitise.plain_text, blocks))


def _extract(tree: Any, **options: Any) -> str:
    return trafilatura.extract(tree, include_comments=False, include_tables=False, **options) or ""


def _short_article(tree: Any, title: str) -> list[str]:
    """Return the paragraphs of the page's article by its own markup; none if it has none."""
    # Other articles may stand beside it, or below it in the page's main part.
    paths = ("//*[@itemprop='articleBody']", "//article[.//h1]", _ARTICLES)
    for part in (found for path in paths for found in tree.xpath(path)[:1]):
        markup = etree.tostring(part, encoding="unicode", method="html", with_tail=False)
        if blocks := article_blocks(markup[:_LONGEST_MARKUP], title=title):
            return blocks
    return []
