"""Read what a page says of its article for search engines (https://schema.org/Article, JSON-LD)."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digest.feeds.images.choose import Image
from digest.feeds.images.tags import parse_pixels

_ARTICLE = re.compile(r"(?:https?://schema\.org/)?\w*(?:Article|Posting)")
_DATE = re.compile(r'"datePublished"\s*+:\s*+"([^"]{1,100})"')
_NO_ARTICLE = frozenset({"JobPosting"})
_MOST_SCRIPTS = 20
_MOST_CHARACTERS = 500_000
_MOST_NODES = 2000
_MOST_IMAGES = 5


@dataclass(frozen=True)
class ArticleData:
    """What it says, as it is written; empty where it says nothing."""

    published: str = ""
    description: str = ""
    publisher: str = ""
    images: tuple[Image, ...] = ()


def article_data(tree: Any) -> ArticleData:
    """Return what the first of the page's scripts that is about an article says of it."""
    for script in tree.xpath("//script[starts-with(@type, 'application/ld+json')]")[:_MOST_SCRIPTS]:
        text = str(script.text or "")[:_MOST_CHARACTERS]
        try:
            nodes = list(_nodes(json.loads(text, strict=False)))
        except (ValueError, RecursionError):
            # A comma too many is common. One string is understood without the rest.
            if date := _DATE.search(text):
                return ArticleData(published=date[1])
            continue
        if found := next(filter(_is_article, nodes), None):
            return ArticleData(
                published=_string(found.get("datePublished")) or _string(found.get("dateCreated")),
                description=_string(found.get("description")),
                publisher=_publisher(found, nodes),
                images=tuple(_images(found.get("image"))),
            )
    return ArticleData()


def _publisher(article: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> str:
    """Return the publisher's name, which may stand elsewhere, or else the site's."""
    stated = article.get("publisher")
    known_as = stated.get("@id") if isinstance(stated, dict) else None
    names = [_name(stated)]
    names += [_name(node) for node in nodes if known_as and node.get("@id") == known_as]
    names += [_name(node) for node in nodes if node.get("@type") == "WebSite"]
    return next(filter(None, names), "")


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of the data, the outer ones first."""
    waiting = deque([data])
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        one = waiting.popleft()
        if isinstance(one, dict):
            yield one
            waiting.extend(one.get(key) for key in ("@graph", "mainEntity", "mainEntityOfPage"))
        elif isinstance(one, list):
            waiting.extend(one[:_MOST_NODES])


def _is_article(node: dict[str, Any]) -> bool:
    kinds = node.get("@type")
    named = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind]
    return any(
        isinstance(kind, str) and kind not in _NO_ARTICLE and _ARTICLE.fullmatch(kind)
        for kind in named[:10]
    )


def _images(value: Any) -> Iterator[Image]:
    for one in (value if isinstance(value, list) else [value])[:_MOST_IMAGES]:
        if isinstance(one, str):
            yield Image(one.strip())
        elif isinstance(one, dict) and (url := _string(one.get("url"))):
            yield Image(url, parse_pixels(one.get("width")), parse_pixels(one.get("height")))


def _name(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return _string(first.get("name")) if isinstance(first, dict) else _string(first)


def _string(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
