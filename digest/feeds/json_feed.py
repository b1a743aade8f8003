"""Read a JSON Feed (https://jsonfeed.org/version/1.1) into the form that feedparser gives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

# A feed of the day's news has 20 to 100 entries, and an entry some attachments.
_MOST_ITEMS = 5000
_MOST_PARTS = 50


def read_json_feed(text: str) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """Return the feed and its entries as mappings with feedparser's keys; None if it is no feed.

    Values of another type than the format's count as absent. An item that is no item at all has
    only a `fault`, which is a sentence.
    """
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return None
    try:
        feed = json.loads(text.strip("\ufeff \t\r\n"), strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        return None
    if "jsonfeed.org/version" not in _string(feed, "version"):
        return None
    about = {
        "title": escape(_string(feed, "title"), quote=False),
        "language": _string(feed, "language"),
        "link": _string(feed, "home_page_url"),
        "links": [{"rel": "self", "href": _string(feed, "feed_url")}],
    }
    authors = _authors(feed)
    items = [
        _entry(item, authors) if isinstance(item, dict) else {"fault": "It is no JSON object."}
        for item in feed["items"][:_MOST_ITEMS]
    ]
    if (more := len(feed["items"]) - _MOST_ITEMS) > 0:
        items.append({"fault": f"{more:,} more items after {_MOST_ITEMS:,} are not read."})
    return about, items


def _entry(item: Mapping[str, Any], feed_authors: list[str]) -> Mapping[str, Any]:
    authors = _authors(item) or feed_authors
    return {
        "title": escape(_string(item, "title"), quote=False),
        "link": _string(item, "url"),
        "id": _string(item, "id"),
        "language": _string(item, "language"),
        "author": authors[0] if authors else "",
        "authors": [{"name": name} for name in authors],
        "summary": escape(_string(item, "summary"), quote=False),
        "content": [{"value": text} for text in _texts(item) if text],
        # A link blog's own page is `url`; what it writes about counts where that is no link.
        "links": [
            {"rel": "alternate", "href": _string(item, "external_url")},
            *_attachments(item),
        ],
        "media_content": [
            {"url": url, "medium": "image"}
            for key in ("image", "banner_image")
            if (url := _string(item, key))
        ],
        "tags": [
            {"term": escape(tag, quote=False)}
            for tag in _list(item, "tags")
            if isinstance(tag, str)
        ],
        **_times(item),
    }


def _texts(item: Mapping[str, Any]) -> tuple[str, str]:
    return _string(item, "content_html"), escape(_string(item, "content_text"), quote=False)


def _authors(item: Mapping[str, Any]) -> list[str]:
    """Return the names; version 1.0 has one `author`, version 1.1 `authors`."""
    several = [*_list(item, "authors"), item.get("author")]
    names = (_string(author, "name") for author in several if isinstance(author, dict))
    return list(dict.fromkeys(filter(None, names)))


def _attachments(item: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    for attachment in _list(item, "attachments"):
        if isinstance(attachment, dict) and (url := _string(attachment, "url")):
            yield {"rel": "enclosure", "href": url, "type": _string(attachment, "mime_type")}


def _times(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return each date as it is written and, where that is RFC 3339, as UTC's `struct_time`."""
    times: dict[str, Any] = {}
    for key, ours in (("date_published", "published"), ("date_modified", "updated")):
        if written := _string(item, key):
            times[ours] = written
            try:
                instant = datetime.fromisoformat(written)
                instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
                times[f"{ours}_parsed"] = instant.utctimetuple()
            except (ValueError, OverflowError):
                continue
    return times


def _list(item: Mapping[str, Any], key: str) -> list[Any]:
    value = item.get(key)
    return value[:_MOST_PARTS] if isinstance(value, list) else []


def _string(item: Mapping[str, Any], key: str) -> str:
    """Return a string, or a number that stands for one, as ids often do."""
    value = item.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""
