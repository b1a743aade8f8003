"""Pick the one image of an entry that suits a digest's width."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from digest.feeds.urls import web_url

# A digest is 600 pixels wide. Twice that is sharp on every screen; more only takes longer to load.
IDEAL_WIDTHS = range(600, 1201)
# Smaller images are icons and tracking pixels.
MIN_WIDTH = 100
# No widely used mail client shows these formats.
_UNSUPPORTED_FORMATS = re.compile(
    r"\.(?:svgz?|avif|heic|tiff?|mp4|mp3|m4a|webm|mov)$", re.IGNORECASE
)
_IMG = re.compile(r"<img\b([^<>]*)>", re.IGNORECASE)
_ATTR = re.compile(r"""(?<![\w-])([\w-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'>]++))""")
_PIXELS = re.compile(r"(\d{1,5})(?:\.\d++)?\s*+(?:px)?")


@dataclass(frozen=True)
class Image:
    """An absolute URL and, where the publisher states it, the size in pixels."""

    url: str
    width: int | None = None
    height: int | None = None


def parse_pixels(value: object) -> int | None:
    """Read a width or height as publishers write it, such as `640`, `640px` or `640.0`."""
    match = _PIXELS.fullmatch(str(value or "").strip())
    return int(match[1]) or None if match else None


def entry_image(entry: Mapping[str, Any], *, base: str) -> Image | None:
    """Return the entry's best image: from media elements, else enclosures, else its text."""
    sources = (_media(entry), _enclosures(entry), _in_text(entry))
    for found in sources:
        usable = (image for raw in found if (image := _usable(raw, base=base)))
        if best := best_image(usable):
            return best
    return None


def best_image(images: Iterable[Image]) -> Image | None:
    """Return the best: wide rather than tall, then nearest to the ideal width, then the first."""
    return min(images, key=_distance, default=None)


def _distance(image: Image) -> tuple[bool, float]:
    is_tall = bool(image.width and image.height and image.width < image.height * 1.2)
    # An image without a stated width mostly has the size that the publisher's own page shows.
    width = image.width or IDEAL_WIDTHS.start
    if width < IDEAL_WIDTHS.start:
        return is_tall, 1000 + IDEAL_WIDTHS.start - width
    return is_tall, abs(IDEAL_WIDTHS[-1] - width)


def _usable(raw: Mapping[str, Any], *, base: str) -> Image | None:
    url = web_url(str(raw.get("url") or ""), base=base)
    image = Image(
        url=url, width=parse_pixels(raw.get("width")), height=parse_pixels(raw.get("height"))
    )
    too_small = min(image.width or MIN_WIDTH, (image.height or MIN_WIDTH) * 2) < MIN_WIDTH
    if not url or too_small or _UNSUPPORTED_FORMATS.search(url.partition("?")[0]):
        return None
    return image


def _media(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for media in entry.get("media_content", ()):
        kind = media.get("medium") or media.get("type") or "image"
        if kind.startswith("image"):
            yield media
    # A thumbnail of unknown size is assumed to be 240 pixels wide.
    for thumbnail in entry.get("media_thumbnail", ()):
        yield {"width": 240} | thumbnail


def _enclosures(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for link in entry.get("links", ()):
        if link.get("rel") == "enclosure" and str(link.get("type", "")).startswith("image/"):
            yield {"url": link.get("href")}


def _in_text(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the first image of each text that is large enough to show."""
    texts = [content.get("value") or "" for content in entry.get("content", ())]
    for text in (*texts, entry.get("summary") or ""):
        tags = (_attributes(match[1]) for match in _IMG.finditer(text[:100_000]))
        yield from itertools.islice((tag for tag in tags if _is_big(tag)), 1)


def _attributes(tag: str) -> dict[str, str]:
    found = ((m[1].lower(), html.unescape(m[2] or m[3] or m[4] or "")) for m in _ATTR.finditer(tag))
    attributes = dict(found)
    return attributes | {"url": attributes.get("src", "")}


def _is_big(tag: Mapping[str, str]) -> bool:
    """Tell whether it is no tracking pixel; a text's image may be smaller than a digest's."""
    sides = (parse_pixels(tag.get("width")), parse_pixels(tag.get("height")))
    return bool(tag["url"]) and all(side is None or side >= MIN_WIDTH // 2 for side in sides)
