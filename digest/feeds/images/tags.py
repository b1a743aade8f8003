"""Find the images in the markup of a text, however a page puts off loading them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from lxml import etree

from digest.feeds.images.signs import is_decoration
from digest.feeds.xml_faults import with_fewer_attributes

_ANY_IMAGE = re.compile(r"<(?:amp-)?img\b|\bsrcset\b|\bposter\b", re.IGNORECASE)
# Control characters and lone surrogates, with which lxml refuses a text.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKUP_LENGTH = 100_000
# The picture of an article is among the first; what follows is a gallery or a list of others.
MOST_IMAGES = 30
_MOST_SIZES = 30
# Where lazy loaders keep the real image while `src` has a small or empty stand-in …
_LAZY = (
    "data-src", "data-lazy-src", "data-original", "data-lazy", "data-hi-res-src", "data-echo",
    "data-actualsrc", "data-pagespeed-lazy-src",
)  # fmt: skip
_LAZY_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set")
# … and what may hold something else where `src` has a picture.
_ELSEWHERE = (
    "data-orig-file", "data-large-file", "data-medium-file", "data-full-src", "data-image",
    "data-img-src", "data-url",
)  # fmt: skip
_STYLE_SIZE = re.compile(
    r"(?:^|[;\s])(?:max-)?(width|height)\s*+:\s*+(\d{1,5})(?:\.\d++)?(px|r?em)", re.IGNORECASE
)
_HIDDEN = re.compile(r"(?:display\s*+:\s*+none|visibility\s*+:\s*+hidden)", re.IGNORECASE)
_PIXELS = re.compile(r"(\d{1,5})(?:\.\d++)?\s*+(?:px)?")
_PIXELS_PER_EM = 16
_DESCRIPTOR = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)([wx])")
# What is shown smaller than this is an icon or a counter; a text's image may be smaller than a
# digest's.
SMALLEST_SHOWN = 50
_ASIDES = frozenset({"aside", "footer", "nav", "form", "header", "button"})


@dataclass(frozen=True)
class ImageTag:
    """One URL that an image's tag offers, with its size in pixels where the tag states it.

    `place` counts the images before it; `names` and `around` are the class names and ids of the
    image and of what is around it. `leads_to` is the link that it is in, as it was written.
    """

    url: str
    width: int | None
    height: int | None
    kind: str
    names: str
    around: str
    alt: str
    place: int
    is_aside: bool
    leads_to: str


def parse_pixels(value: object) -> int | None:
    """Read a width or height as publishers write it, such as `640`, `640px` or `640.0`."""
    match = _PIXELS.fullmatch(str(value or "").strip()[:40])
    return int(match[1]) or None if match else None


def image_tags(markup: str) -> list[ImageTag]:
    """Return what the first images of the markup offer, in the text's order.

    Hidden images are left out. An image that is sized for its stand-in has no size.
    """
    if not _ANY_IMAGE.search(markup):
        return []
    parser = etree.HTMLParser(recover=True, remove_comments=True, remove_pis=True)
    bounded = with_fewer_attributes(_NO_TEXT.sub("", markup[:_MARKUP_LENGTH]))
    try:
        root = etree.fromstring(f"<div>{bounded}</div>", parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    return list(tags_below(root)) if root is not None else []


def tags_below(root: etree._Element) -> Iterator[ImageTag]:
    """Yield what the first images below the element offer."""
    found = islice(root.iter("img", "amp-img", "source", "video", "amp-video"), 3 * MOST_IMAGES)
    place, sources = 0, list[ImageTag]()
    for element in found:
        if element.tag == "source":
            # For lxml, what follows a `<source>` stands in it.
            if any(near.tag == "picture" for near in islice(element.iterancestors(), 10)):
                kind = str(element.get("type") or "")
                sources += [replace(offer, kind=kind) for offer in _offers(element, place)]
            continue
        if str(element.tag).endswith("video") and not any(_posters(dict(element.items()))):
            continue
        # The `<source>` elements of a `<picture>` stand before its `<img>`, whose size they have.
        offers = list(_offers(element, place))
        yield from (*offers, *(sources if offers else ()))
        place, sources = place + 1, []
        if place == MOST_IMAGES:
            return
    yield from sources


def _offers(element: etree._Element, place: int) -> Iterator[ImageTag]:
    attributes = {str(name).lower(): str(value) for name, value in element.items()}
    style = attributes.get("style", "")[:1000]
    is_video = str(element.tag).endswith("video")
    lazy = [] if is_video else list(_lazy_urls(attributes))
    if _HIDDEN.search(style) or "hidden" in attributes:
        return
    width, height = _size(attributes, style)
    if not lazy and min(width or SMALLEST_SHOWN, height or SMALLEST_SHOWN) < SMALLEST_SHOWN:
        return
    if lazy and width and width < SMALLEST_SHOWN:
        width = height = None
    around = list(islice(element.iterancestors(), 4))
    ratio = height / width if width and height else None
    found = _posters(attributes) if is_video else _urls(attributes)
    for source in (*lazy, *found):
        full_width = source.width or (round(width * source.density) if width else None)
        full_height = round(full_width * ratio) if full_width and ratio else None
        yield ImageTag(
            url=source.url,
            width=full_width,
            height=full_height if full_width else height,
            kind=source.kind,
            names=_names(element),
            around=" ".join(map(_names, around[:2])),
            alt=" ".join(attributes.get("alt", "").split()),
            place=place,
            is_aside=any(str(near.tag) in _ASIDES for near in around),
            leads_to=next(
                (str(near.get("href", ""))[:200] for near in around if near.tag == "a"), ""
            ),
        )


def _names(element: etree._Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"[:300]


def _size(attributes: Mapping[str, str], style: str) -> tuple[int | None, int | None]:
    """Return width and height as the attributes or else the style state them, in pixels."""
    styled = {
        match[1].lower(): int(match[2]) * (1 if match[3].lower() == "px" else _PIXELS_PER_EM)
        for match in _STYLE_SIZE.finditer(style)
    }
    width, height = (
        parse_pixels(attributes.get(side)) or styled.get(side) for side in ("width", "height")
    )
    return width, height


@dataclass(frozen=True)
class _Source:
    url: str
    kind: str = ""
    width: int | None = None
    density: float = 1


def _lazy_urls(attributes: Mapping[str, str]) -> Iterator[_Source]:
    """Yield what a lazy loader will show, if the tag is one's."""
    for name in _LAZY_SETS:
        yield from _in_set(attributes.get(name, ""))
    for name in _LAZY:
        if value := attributes.get(name, "").strip():
            yield from _in_set(value) if " " in value else [_Source(value)]
    if not _is_stand_in(attributes.get("src", "")):
        return
    for name in _ELSEWHERE:
        if value := attributes.get(name, "").strip():
            yield _Source(value)


def _is_stand_in(url: str) -> bool:
    start = url.strip()[:1000].lower()
    return not start or start.startswith(("data:", "about:")) or is_decoration(start)


def _urls(attributes: Mapping[str, str]) -> Iterator[_Source]:
    yield _Source(attributes.get("src", ""))
    yield from _in_set(attributes.get("srcset", ""))


def _posters(attributes: Mapping[str, str]) -> Iterator[_Source]:
    """Yield the picture that stands for a video until it is played."""
    for name in ("poster", "data-poster"):
        if value := attributes.get(name, "").strip():
            yield _Source(value)


def _in_set(srcset: str) -> Iterator[_Source]:
    """Yield the URLs of a `srcset`, in which a URL may hold commas (HTML, section 4.8.4.2.1)."""
    url = ""
    for word in islice(srcset[:20_000].split(), 2 * _MOST_SIZES):
        if not url:
            url = word
            if not word.endswith(","):
                continue
            yield _Source(word.rstrip(","))
        else:
            yield _described(url, word.rstrip(","))
        url = ""
    if url:
        yield _Source(url)


def _described(url: str, descriptor: str) -> _Source:
    number = _DESCRIPTOR.fullmatch(descriptor)
    if number and number[2] == "w":
        return _Source(url, width=int(float(number[1])) or None)
    return _Source(url, density=float(number[1])) if number else _Source(url)
