"""Find when a page's article was published, in the places where pages say so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from digest.feeds.dates import MAX_LENGTH, context_of, read_date

# The names of `<meta>` elements, the most trusted ones first. None of them is the date of a change.
_META_NAMES = (
    "article:published_time", "og:article:published_time", "article:published", "og:published_time",
    "datepublished", "parsely-pub-date", "sailthru.date", "pubdate", "publishdate", "publish_date",
    "publish-date", "publication_date", "publicationdate", "date.created", "dc.date.issued",
    "dcterms.issued", "dcterms.created", "dc.date", "dc.date.created",
    "cxenseparse:recs:publishtime", "date",
)  # fmt: skip
_ASIDES = frozenset({"aside", "nav", "footer", "form"})
_CALLED_ASIDE = re.compile(r"related|comment|sidebar|teaser", re.IGNORECASE)
_CALLED_DATE = re.compile(
    r"(?:^|[\s_-])(?:date|dates?time|pubdate|published|publish-date|timestamp|dateline|posted-on|datum"
    r"|fecha|data)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:first )?(?:published|posted|created|date|veröffentlicht|erstellt|publié|publicado"
    r"|pubblicato|gepubliceerd|опубликовано|نشر)(?: (?:on|at|am|le|el|em|il|op|في))?\s?:? ",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"(?:^|[\s_-])(?:updated?|modified|aktualisiert|actualis|mis à jour)", re.IGNORECASE
)
_IN_PATH = re.compile(r"/(20\d\d)[/-]([01]\d)[/-]([0-3]\d)(?=[/-]|$)")
_MOST_ELEMENTS = 20_000
_MOST_DATES = 30


def published_at(tree: Any, *, url: str, named: str = "") -> tuple[datetime | None, str]:
    """Return the moment, and the date as it is written.

    The moment is None if no date of the page is understood in full.

    `named` is the date that the page states in its JSON-LD. What is shown counts after what is
    stated for machines, and the day in the page's URL last.
    """
    dates = list(islice(_dates(tree, named), _MOST_DATES))
    language = str(tree.xpath("string(/html/@lang | /html/@xml:lang)"))[:20]
    context = context_of(dates, language=language, host=urlsplit(url).netloc)
    read = ((moment, date) for date in dates if (moment := read_date(date, context)))
    return next(read, None) or _in_path(url) or (None, next(iter(dates), ""))


def _dates(tree: Any, named: str) -> Iterator[str]:
    """Yield the dates as they are written, the most trusted first."""
    stated: dict[str, str] = {}
    for meta in tree.xpath("//meta[@content]")[:_MOST_ELEMENTS]:
        for attribute in ("property", "name", "itemprop"):
            name = str(meta.get(attribute) or "").strip().lower()
            stated.setdefault(name, str(meta.get("content")))
    first, *others = _META_NAMES
    yield from filter(None, (stated.get(first), named))
    yield from (stated[name] for name in others if stated.get(name))
    shown = ((_rank(element), element) for element in islice(tree.iter(), _MOST_ELEMENTS))
    ranked = sorted(((rank, each) for rank, each in shown if rank), key=lambda pair: pair[0])
    for _, element in ranked[:_MOST_DATES]:
        if not any(map(_is_aside, element.iterancestors())):
            yield from _written(element)


def _rank(element: Any) -> int:
    """Return 1 for what is surely the date, up to 4; 0 for what is none."""
    names = f"{element.get('class') or ''} {element.get('id') or ''}"[:300]
    if _CHANGED.search(names):
        return 0
    if element.get("itemprop") == "datePublished":
        return 1
    if element.tag == "time":
        return 2 if element.get("pubdate") is not None else 3
    return 4 * (element.tag in ("span", "p", "div") and bool(_CALLED_DATE.search(names)))


def _is_aside(element: Any) -> bool:
    names = f"{element.get('class') or ''} {element.get('id') or ''}"[:300]
    return element.tag in _ASIDES or (element.tag != "body" and bool(_CALLED_ASIDE.search(names)))


def _written(element: Any) -> Iterator[str]:
    """Yield what the element says, for machines first."""
    for name in ("content", "datetime"):
        if value := str(element.get(name) or "").strip():
            yield value
    text = " ".join("".join(islice(element.itertext(), 20)).split())
    if 0 < len(text) <= MAX_LENGTH and not _CHANGED.search(text):
        yield _LABEL.sub("", text, count=1)


def _in_path(url: str) -> tuple[datetime, str] | None:
    found = _IN_PATH.search(urlsplit(url).path)
    day = "-".join(found.groups()) if found else ""
    moment = read_date(day)
    return (moment, day) if moment else None
