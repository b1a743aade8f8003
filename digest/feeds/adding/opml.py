"""Read and write lists of feeds as OPML 2.0, which every feed reader knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from digest.feeds import packing, sanitise, urls, xml_faults
from digest.feeds.charset import to_text

MAX_BYTES = 2_000_000
MAX_FEEDS = 2000
_MAX_DEPTH = 20
# The weight is ours, so it has a namespace of its own, as OPML asks.
_WEIGHT = "{urn:daybreak:opml}weight"
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class NotOpml(Exception):
    """The bytes are no list of feeds; the message says why in plain words."""


@dataclass(frozen=True)
class Outline:
    """A feed of a list; `folders` are the names of those it is in, the outermost first.

    `url` is empty if what stands there is no http or https URL, and `stated_url` is what stands
    there. `weight` is None if the list does not say.
    """

    url: str
    stated_url: str
    title: str = ""
    site_url: str = ""
    folders: tuple[str, ...] = ()
    weight: float | None = None


def read_opml(body: bytes) -> list[Outline]:
    """Return the list's feeds in its order.

    Raises:
        NotOpml: it is no OPML, or has more than MAX_BYTES or MAX_FEEDS.
    """
    try:
        text = to_text(packing.unpack(body[: MAX_BYTES + 1], max_bytes=MAX_BYTES), content_type="")
    except packing.CannotUnpack as error:
        raise NotOpml(str(error)) from error
    if len(body) > MAX_BYTES:
        raise NotOpml(f"It is larger than {MAX_BYTES / 1e6:g} MB.")
    if "<!entity" in text.lower():
        # Entities of a file's own let a few bytes become gigabytes, or name other files.
        raise NotOpml("It defines entities, which no list of feeds needs.")
    mended = xml_faults.mend(text)
    if reason := xml_faults.excess(mended):
        raise NotOpml(reason)
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, recover=True, remove_comments=True
    )
    try:
        root = etree.fromstring(mended.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotOpml("It is no OPML file: it cannot be read as XML.") from error
    if root is None or str(root.tag).lower() != "opml":
        raise NotOpml("It is no OPML file.")
    return list(_outlines(root))


def _outlines(root: etree._Element) -> Iterator[Outline]:
    """Yield what has a feed's address, however deep it stands."""
    bodies = [child for child in root if _name(child) == "body"]
    waiting = [(child, ()) for body in bodies for child in body]
    waiting.reverse()
    count = 0
    stack: list[tuple[etree._Element, tuple[str, ...]]] = list(waiting)
    while stack:
        element, folders = stack.pop()
        if _name(element) != "outline":
            continue
        stated = {str(key).lower(): str(value).strip() for key, value in element.items()}
        title = sanitise.name(stated.get("title") or stated.get("text") or "", 200)
        if url := stated.get("xmlurl"):
            count += 1
            if count > MAX_FEEDS:
                raise NotOpml(f"It has more than {MAX_FEEDS:,} feeds.")
            yield Outline(
                url=urls.web_url(url),
                stated_url=sanitise.plain_text(url)[:1000],
                title=title,
                site_url=urls.web_url(stated.get("htmlurl", "")),
                folders=folders,
                weight=_weight(str(element.get(_WEIGHT) or "")),
            )
        if len(folders) < _MAX_DEPTH:
            inside = (*folders, title) if title and not url else folders
            stack += [(child, inside) for child in reversed(element)]


def _name(element: etree._Element) -> str:
    return str(element.tag).lower()


def _weight(text: str) -> float | None:
    """Return a weight that a feed may have (Feed.weight), or None."""
    try:
        weight = float(text[:20])
    except ValueError:
        return None
    return weight if 0.1 <= weight <= 10 else None


def write_opml(title: str, outlines: Sequence[Outline]) -> bytes:
    """Return the list as a file; feeds of one outermost folder stand in it, without one at the end.

    Reading it again gives these feeds, in the order of their folders.
    """
    root = etree.Element("opml", {"version": "2.0"}, {"daybreak": "urn:daybreak:opml"})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = _NO_TEXT.sub("", title)
    body = etree.SubElement(root, "body")
    parents: dict[str, etree._Element] = {}
    for outline in sorted(outlines, key=lambda one: not one.folders):
        parent = body
        if outline.folders and (name := _NO_TEXT.sub("", outline.folders[0])):
            if name not in parents:
                parents[name] = etree.SubElement(body, "outline", {"text": name, "title": name})
            parent = parents[name]
        stated = {
            "text": outline.title or outline.url,
            "title": outline.title,
            "type": "rss",
            "xmlUrl": outline.url,
            "htmlUrl": outline.site_url,
            _WEIGHT: "" if outline.weight is None else f"{outline.weight:g}",
        }
        clean = {name: _NO_TEXT.sub("", value) for name, value in stated.items() if value}
        etree.SubElement(parent, "outline", clean)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
