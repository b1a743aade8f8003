"""Choose the one picture of an entry or a page that suits a digest; nothing is fetched."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from digest.feeds.images import signs
from digest.feeds.images.tags import ImageTag, image_tags, parse_pixels
from digest.feeds.urls import web_url

# A digest is 600 pixels wide. Twice that is sharp on every screen; more only takes longer to load.
IDEAL_WIDTHS = range(600, 1201)
# Smaller images are icons and tracking pixels.
MIN_WIDTH = 100
# A thumbnail of unknown size is assumed to be 240 pixels wide.
THUMBNAIL_WIDTH = 240
_MOST_CANDIDATES = 100

# The weights of a score. An image as wide as a digest has about 100 for its size, the smallest
# 48; a score below 0 means that there is no picture.
NAMED_BY_PUBLISHER = 10  # as the entry's image, by media:content, og:image or JSON Feed's image
_ENCLOSED = 6
_TALL = -40  # wide pictures suit a digest
_LATER = -5  # for each image of the text before it, up to ten
_UNLIKELY_NAME = -45  # the file sounds like a logo or a banner; stories about logos exist
_ASIDE = -45  # it stands in a header, a footer, or beside the text
_CONVERTED = -3  # Outlook for Windows does not show WebP
_REPEATED = -15  # for each other entry of the feed with the same image
# An image of at least this many entries, and of this share of all, is the site's and no entry's.
_SITE_ENTRIES, _SITE_SHARE = 3, 0.25


@dataclass(frozen=True)
class Image:
    """An absolute URL and, where the publisher states it, the size in pixels."""

    url: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class ImageCandidate:
    """An image that can be shown and is no decoration, and what speaks for and against it."""

    image: Image
    weight: int = 0
    alt: str = ""


def entry_images(
    entries: Sequence[Mapping[str, Any]], *, base: str, feed_image: str = ""
) -> list[Image | None]:
    """Return each entry's picture; an image that many entries share, or the feed's own, is none.

    Entries are mappings as feedparser gives them; `base` is the feed's URL. An entry's `base`, and
    that of each of its texts, is the URL of the `xml:base` around it.
    """
    found = [list(islice(_candidates(entry, base), _MOST_CANDIDATES)) for entry in entries]
    shared = Counter(key for one in found for key in {_key(each.image) for each in one})
    most = max(_SITE_ENTRIES, _SITE_SHARE * len(entries))
    if feed_image:
        shared[_key(Image(web_url(feed_image, base=base)))] += len(entries) + _SITE_ENTRIES
    repeats = {key: count - 1 for key, count in shared.items()}
    chosen = []
    for candidates in found:
        own = [each for each in candidates if shared[_key(each.image)] < most]
        best = choose(own, repeats=repeats)
        chosen.append(best.image if best else None)
    return chosen


def choose(
    candidates: Iterable[ImageCandidate], *, repeats: Mapping[str, int] | None = None
) -> ImageCandidate | None:
    """Return the candidate with the highest score, the first of equals; None if all are below 0.

    `repeats` has the number of other entries with the image, by its URL as `_key` has it.
    """
    counts = repeats or {}
    scored = [(score(each, counts.get(_key(each.image), 0)), each) for each in candidates]
    best = max(scored, key=lambda pair: pair[0], default=None)
    return best[1] if best and best[0] >= 0 else None


def score(candidate: ImageCandidate, repeats: int = 0) -> float:
    """Return how well the image suits a digest, from its size and its weight."""
    image = candidate.image
    # An image without a stated width mostly has the size that the publisher's own page shows.
    width = image.width or IDEAL_WIDTHS.start
    if width < IDEAL_WIDTHS.start:
        size = 40 + 50 * width / IDEAL_WIDTHS.start
    else:
        size = 100 - min(abs(IDEAL_WIDTHS[-1] - width) / 100, 15)
    is_tall = bool(image.width and image.height and image.width < image.height * 1.2)
    return size + candidate.weight + is_tall * _TALL + max(repeats * _REPEATED, -60)


def candidate(
    stated: Image, *, base: str, weight: int = 0, kind: str = "", alt: str = ""
) -> ImageCandidate | None:
    """Return the image as a candidate; None if it cannot be shown, is too small or is decoration.

    Its URL may be relative to `base`. `kind` is its media type, where that is stated.
    """
    # Some feeds escape it twice.
    written = stated.url.strip().replace("&amp;", "&")
    url = web_url(written, base=base) if written else ""
    if not url or not signs.can_be_shown(url, kind=kind):
        return None
    too_small = min(stated.width or MIN_WIDTH, (stated.height or MIN_WIDTH) * 2) < MIN_WIDTH
    # What is four times as wide as high is a banner, or an advertisement.
    is_strip = bool(stated.width and stated.height and stated.width > 4 * stated.height)
    if too_small or is_strip or signs.is_decoration(url, page_url=base):
        return None
    weight += _UNLIKELY_NAME * signs.is_unlikely(url)
    weight += _CONVERTED * ("webp" in kind or ".webp" in url.lower())
    return ImageCandidate(image=replace(stated, url=url), weight=weight, alt=alt)


def text_candidates(tags: Iterable[ImageTag], *, base: str) -> Iterator[ImageCandidate]:
    """Yield the images of a text that may be its picture."""
    for tag in tags:
        if signs.is_called_decoration(
            tag.names, around=tag.around, alt=tag.alt, leads_to=tag.leads_to
        ):
            continue
        weight = _LATER * min(tag.place, 10) + _ASIDE * tag.is_aside
        stated = Image(tag.url, tag.width, tag.height)
        if found := candidate(stated, base=base, weight=weight, kind=tag.kind, alt=tag.alt):
            yield found


def _key(image: Image) -> str:
    """Return the URL without its query, which mostly asks for a size.

    The query of a path that is no image's, such as `/image?id=12`, says which image it is.
    """
    is_named = signs.is_named_image(image.url)
    return image.url.partition("?")[0] if is_named else image.url


def _candidates(entry: Mapping[str, Any], base: str) -> Iterator[ImageCandidate]:
    stated_base = str(entry.get("base") or "")
    link = web_url(str(entry.get("link") or ""), base=stated_base or base) or base
    for raw, weight in (*_media(entry), *_enclosures(entry)):
        size = (parse_pixels(raw.get(side)) for side in ("width", "height"))
        stated = Image(str(raw.get("url") or raw.get("href") or ""), *size)
        kind = str(raw.get("type") or "")
        if found := candidate(stated, base=stated_base or link, weight=weight, kind=kind):
            yield found
    contents = entry.get("content") or ()
    summary = {**(entry.get("summary_detail") or {}), "value": entry.get("summary")}
    for text in (*contents[:5], summary):
        markup = _unescaped(str(text.get("value") or ""))
        tags = image_tags(markup)
        yield from text_candidates(tags, base=str(text.get("base") or "") or link)


def _unescaped(markup: str) -> str:
    """Return the markup, unescaped once if it was escaped twice."""
    is_escaped = "<" not in markup and "&lt;img" in markup.lower()
    return html.unescape(markup) if is_escaped else markup


def _media(entry: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    for media in entry.get("media_content", ()):
        kind = media.get("medium") or media.get("type") or "image"
        if kind.startswith("image"):
            yield media, NAMED_BY_PUBLISHER
    for thumbnail in entry.get("media_thumbnail", ()):
        yield {"width": THUMBNAIL_WIDTH} | thumbnail, 0
    # A podcast's picture of the episode (itunes:image), which is square.
    if isinstance(episode := entry.get("image"), Mapping):
        yield episode, 0
    # Bing's URLs name no file.
    if isinstance(bing := entry.get("news_image"), str):
        sizes = {side: entry.get(f"news_imagemax{side}") for side in ("width", "height")}
        yield {"url": bing} | sizes, 0
    # RSS knows no picture of an item, so that some feeds name it as they like. feedparser makes
    # `<image><url>` the entry's `href`.
    for name in ("href", "thumbnail", "featured_image"):
        if signs.is_named_image(url := str(entry.get(name) or "")):
            yield {"url": url}, 0


def _enclosures(entry: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], int]]:
    for link in entry.get("links", ()):
        kind, url = str(link.get("type") or ""), str(link.get("href") or "")
        is_unsaid = not kind or kind.endswith("/octet-stream")
        is_image = kind.startswith("image/") or (is_unsaid and signs.is_named_image(url))
        if link.get("rel") == "enclosure" and is_image:
            yield link, _ENCLOSED
