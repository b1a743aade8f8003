"""Mend the faults of a feed's XML, so that a strict parser reads it as its author meant, and soon.

The parsers take long over what no feed has: they look through all attributes of a tag for each of
them, and through all of an entry's categories. A document that has too much is refused beforehand,
and HTML loses the attributes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.entities import html5
from itertools import islice

# The start of a document may follow blank lines, or the warnings of a broken script.
_START_LENGTH = 5_000
_START = re.compile(r"<(?:\?xml|!DOCTYPE (?:rss|feed|rdf)|rss|feed|rdf:RDF)\b", re.IGNORECASE)
_DECLARATION = re.compile(r"<\?xml\b[^<>]*+\?>")
# What XML allows nowhere, not even as a reference (XML 1.0, section 2.2).
_NO_CHARACTERS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])
_REFERENCE = re.compile(
    r"&(?:(?P<number>#[0-9]{1,7}+|#[xX][0-9a-fA-F]{1,6}+);|(?P<name>[A-Za-z][A-Za-z0-9]{0,31}+);)?"
)
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_DECLARED_NAME = re.compile(r"<!ENTITY\s++([\w.-]{1,50})")
# A bare `<`, as in `5 < 6` and `I <3 you`, begins no tag.
_BARE_LESS_THAN = re.compile(r"<(?![A-Za-z_:!?]|/[A-Za-z_:])")
# feedparser compares each category and keyword with all of its entry, and nobody reads them here.
_CATEGORY = re.compile(
    r"(</?+(?:[\w.-]{1,50}+:)?+)(?=(?:category|keywords|subject|tags)\b)", re.IGNORECASE
)

# Feeds have some ten attributes in a tag, and their XHTML some thirty tags in each other. An entry
# has some twenty tags, and feedparser reads 50,000 tags in a second.
MAX_ATTRIBUTES = 200
MAX_DEPTH = 500
MAX_TAGS = 300_000
# A tag as strict parsers read it. One that has `<` in a value ends them.
_TAG = re.compile(
    r"""<(?:(?P<other>!--|!\[CDATA\[|\?)|(?P<end>/?)(?P<name>[A-Za-z_:][^\s<>/]*+)"""
    r"""(?P<rest>(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>)"""
)
_ATTRIBUTE = re.compile(r"""=\s*+(?:"[^"<]*+"|'[^'<]*+')""")
# What has this few characters has no more than MAX_ATTRIBUTES of them.
_SHORT = 4 * MAX_ATTRIBUTES
# As browsers read it, without the final `>`: values may have `<` in them.
_HTML_TAG = re.compile(r"""<[A-Za-z](?:[^<>"']++|"[^"]*+"|'[^']*+')*+""")
_HTML_PIECE = re.compile(r"""(?:[^\s"']++|"[^"]*+"|'[^']*+')++""")
_ENDS = {"!--": "-->", "![CDATA[": "]]>", "?": "?>"}
# Tags that HTML among the XML never closes.
_UNCLOSED = frozenset({"br", "hr", "img", "input", "wbr"})


def excess(markup: str) -> str:
    """Return in a sentence of what the document has too much to be read; empty if of nothing."""
    opened: list[str] = []
    count: Counter[str] = Counter()
    position = tags = 0
    while found := _TAG.search(markup, position):
        position = found.end()
        if other := found["other"]:
            end = markup.find(_ENDS[other], position)
            position = end if end >= 0 else len(markup)
            continue
        tags += 1
        rest = found["rest"]
        if len(rest) > _SHORT and sum(1 for _ in _ATTRIBUTE.finditer(rest)) > MAX_ATTRIBUTES:
            return f"A tag of it has more than {MAX_ATTRIBUTES} attributes."
        if found["end"]:
            _close(found["name"], opened, count)
        elif not rest.endswith("/") and (found["name"] not in _UNCLOSED or "xml:" in rest):
            opened.append(found["name"])
            count[found["name"]] += 1
        if len(opened) > MAX_DEPTH:
            return f"More than {MAX_DEPTH} of its tags are in each other."
        if tags > MAX_TAGS:
            return f"It has more than {MAX_TAGS:,} tags."
    return ""


def _close(name: str, opened: list[str], count: Counter[str]) -> None:
    """Close the tag with all that were left open in it; an end without a beginning is none."""
    while count[name]:
        last = opened.pop()
        count[last] -= 1
        if last == name:
            return


def with_fewer_attributes(markup: str) -> str:
    """Return the HTML with MAX_ATTRIBUTES in a tag at most: libxml2 compares each with all."""
    return _HTML_TAG.sub(_shortened, markup)


def _shortened(found: re.Match[str]) -> str:
    tag = found[0]
    if len(tag) <= 2 * MAX_ATTRIBUTES:
        return tag
    pieces = islice(_HTML_PIECE.finditer(tag), MAX_ATTRIBUTES, None)
    return tag[: last.end()] if (last := next(pieces, None)) else tag


def mend(text: str) -> str:
    """Return the document without its XML declaration, and without the faults that people make.

    A bare `&` or `<` is text, HTML's names such as `&nbsp;` stand for their characters, and
    control characters are left out. CDATA sections keep their text. Categories have a name that no
    parser knows.
    """
    if found := _START.search(text[:_START_LENGTH]):
        text = text[found.start() :]
    if declaration := _DECLARATION.match(text):
        text = text[declaration.end() :]
    declared = frozenset(_DECLARED_NAME.findall(text[:_START_LENGTH]))
    return "".join(_mended_pieces(text.translate(_NO_CHARACTERS), declared))


def _mended_pieces(text: str, declared: frozenset[str]) -> Iterator[str]:
    position = 0
    while (begin := text.find("<![CDATA[", position)) >= 0:
        if (end := text.find("]]>", begin)) < 0:
            break
        yield _mend_markup(text[position:begin], declared)
        yield text[begin : end + 3]
        position = end + 3
    yield _mend_markup(text[position:], declared)


def _mend_markup(markup: str, declared: frozenset[str]) -> str:
    markup = _CATEGORY.sub(r"\1unread-", _BARE_LESS_THAN.sub("&lt;", markup))
    return _REFERENCE.sub(lambda found: _reference(found, declared), markup)


def _reference(found: re.Match[str], declared: frozenset[str]) -> str:
    if number := found["number"]:
        code = int(number[2:], 16) if number[1] in "xX" else int(number[1:])
        return found[0] if _is_allowed(code) else ""
    name = found["name"]
    if not name or name in _XML_NAMES or name in declared:
        return found[0] if name else "&amp;"
    character = html5.get(f"{name};", "")
    # The names of `&` and `<` in capitals are HTML's alone.
    return {"": f"&amp;{name};", "&": "&amp;", "<": "&lt;"}.get(character, character)


def _is_allowed(code: int) -> bool:
    return code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or (
        0x10000 <= code <= 0x10FFFF
    )  # fmt: skip
