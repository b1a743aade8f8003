"""Read an article's web page into what a digest prints of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urlsplit

import trafilatura

from digest.feeds import sanitise, urls
from digest.feeds.images import Image, parse_pixels
from digest.feeds.parse import MIN_YEAR
from digest.shorten import truncate_at_sentence


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


def read_page(body: bytes, *, url: str) -> WebPage | None:
    """Return the page at `url`; None if the bytes are no web page or have no headline."""
    tree = trafilatura.load_html(body)
    if tree is None:
        return None
    image, image_alt = _image(tree, base=url), sanitise.name(_meta(tree, "og:image:alt"), 300)
    published = _meta(tree, "article:published_time")
    found = trafilatura.extract_metadata(tree, default_url=url)
    site_name = sanitise.name(found.sitename or "")
    title = _without_site(sanitise.title(found.title or ""), site_name)
    if not title:
        return None
    summary = sanitise.summary(found.description or "", title=title)
    return WebPage(
        url=trusted_canonical_url(_canonical_link(tree), page_url=url),
        title=title,
        summary=summary
        or truncate_at_sentence(_paragraphs(tree, title), sanitise.BODY_SUMMARY_LENGTH),
        author=sanitise.name(found.author or "", 200),
        site_name=site_name,
        published_at=_instant(published) or _day(found.date or ""),
        image=image,
        image_alt=image_alt,
    )


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


def _image(tree: Any, *, base: str) -> Image | None:
    raw = _meta(tree, "og:image") or _meta(tree, "twitter:image")
    url = urls.web_url(raw, base=base)
    size = (parse_pixels(_meta(tree, f"og:image:{side}")) for side in ("width", "height"))
    return Image(url, *size) if url else None


def _without_site(title: str, site_name: str) -> str:
    """Return the title without the outlet's name, with which `<title>` mostly ends."""
    bare = title.removesuffix(site_name) if site_name else title
    return bare.rstrip(" -|:\u2013\u2014\u00b7") if bare != title and bare.strip() else title


def _paragraphs(tree: Any, title: str) -> str:
    text = trafilatura.extract(tree, include_comments=False, include_tables=False) or ""
    lines = [sanitise.plain_text(line) for line in text.splitlines()]
    return " ".join(line for line in lines if line and line.casefold() != title.casefold())


def _instant(value: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if instant.year < MIN_YEAR:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _day(value: str) -> datetime | None:
    """Return noon of the day, for pages that give no time."""
    day = _instant(value)
    return datetime.combine(day, time(12), tzinfo=UTC) if day else None
