"""Mend the faults of a feed's XML, so that a strict parser reads it as its author meant, and soon.

The parsers take long over what no feed has: they look through all attributes of a tag for each of
them, and through all of an entry's categories. A document that has too much is refused beforehand,
and HTML loses the attributes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from itertools import islice
from urllib.parse import urljoin

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
# feedparser compares each category and keyword with all of its entry. So an entry has these few.
MAX_CATEGORIES = 50
# More characters than these are not one entry's keywords.
_KEYWORDS_LENGTH = 500
_CATEGORY = re.compile(
    r"(?P<start></?+(?:[\w.-]{1,50}+:)?+)(?P<name>category|keywords|subject|tags|item|entry)\b",
    re.IGNORECASE,
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
# feedparser counts a `base` without the prefix, too.
_BASE = re.compile(r"""(?<=\s)(?:xml:)?base\s*+=\s*+(?:"([^"<]*+)"|'([^'<]*+)')""")
_HAS_OWN_BASE = re.compile(r"(?:[\w.-]{1,50}:)?(?:feed|channel|entry|item)")
# An entry may have a base of its own, and its text another one.
_MOST_BASES = 5_000
_LONGEST_BASE = 500
# Nothing is relative to a URL of this scheme, so that feedparser leaves links as they are.
NO_BASE = "hdl:"


def excess(markup: str) -> str:
    """Return in a sentence of what the document has too much to be read; empty if of nothing."""
    opened: list[str] = []
    count: Counter[str] = Counter()
    for tags, found in enumerate(_tags(markup), start=1):
        rest = found["rest"]
        if len(rest) > _SHORT and sum(1 for _ in _ATTRIBUTE.finditer(rest)) > MAX_ATTRIBUTES:
            return f"A tag of it has more than {MAX_ATTRIBUTES} attributes."
        if found["end"]:
            _close(found["name"], opened, count)
        elif _is_opened(found):
            opened.append(found["name"])
            count[found["name"]] += 1
        if len(opened) > MAX_DEPTH:
            return f"More than {MAX_DEPTH} of its tags are in each other."
        if tags > MAX_TAGS:
            return f"It has more than {MAX_TAGS:,} tags."
    return ""


def _tags(markup: str) -> Iterator[re.Match[str]]:
    """Yield the tags outside of comments and CDATA sections."""
    position = 0
    while found := _TAG.search(markup, position):
        position = found.end()
        if other := found["other"]:
            end = markup.find(_ENDS[other], position)
            position = end if end >= 0 else len(markup)
        else:
            yield found


def _is_opened(tag: re.Match[str]) -> bool:
    rest = tag["rest"]
    return not rest.endswith("/") and (tag["name"] not in _UNCLOSED or "xml:" in rest)


def _close(name: str, opened: list[str], count: Counter[str]) -> None:
    """Close the tag with all that were left open in it; an end without a beginning is none."""
    while count[name]:
        last = opened.pop()
        count[last] -= 1
        if last == name:
            return


@dataclass(frozen=True)
class Bases:
    """A document whose bases are only numbered, and the URLs that they stand for.

    The first is the document's own URL.
    """

    markup: str
    urls: list[str]

    def stated(self, number: object) -> str:
        """Return the URL of an `xml:base`; empty for the document's own, and for what is none."""
        digits = str(number or "").removeprefix(NO_BASE)
        is_one = digits.isascii() and digits.isdecimal() and len(digits) < 6
        return self.urls[int(digits)] if is_one and 0 < int(digits) < len(self.urls) else ""


def number_bases(markup: str, *, url: str) -> Bases:
    """Return the document at `url` with the number of its base in place of each `xml:base`.

    Where a feed or an entry begins, an `<own-base>` has the number of its base.
    """
    urls, pieces, position = [url], list[str](), 0
    if not _BASE.search(markup):
        return Bases(markup, urls)
    numbers: dict[str, int] = {}
    opened: list[str] = []
    count: Counter[str] = Counter()
    inside = [0]
    for tag in _tags(markup):
        if tag["end"]:
            _close(tag["name"], opened, count)
            del inside[len(opened) + 1 :]
            continue
        number = inside[-1]
        if attribute := _BASE.search(markup, tag.start("rest"), tag.end("rest")):
            base = _joined(urls[number], attribute[1] or attribute[2] or "")
            if base in numbers or (base and len(urls) < _MOST_BASES):
                number = numbers.setdefault(base, len(urls))
                urls += [base] * (number == len(urls))
            pieces += [markup[position : attribute.start()], f'xml:base="{NO_BASE}{number}"']
            position = attribute.end()
        if _is_opened(tag):
            opened.append(tag["name"])
            count[tag["name"]] += 1
            inside.append(number)
            if number and _HAS_OWN_BASE.fullmatch(tag["name"]):
                pieces += [markup[position : tag.end()], f"<own-base>{number}</own-base>"]
                position = tag.end()
    return Bases("".join((*pieces, markup[position:])), urls)


def _joined(base: str, written: str) -> str:
    """Return the base that is written inside of another one; empty if it is of no use."""
    try:
        joined = urljoin(base, unescape(written[:_LONGEST_BASE]).strip())
    except ValueError:
        return ""
    return joined if len(joined) <= _LONGEST_BASE else ""


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
    control characters are left out. CDATA sections keep their text. The categories of an entry
    that has more than MAX_CATEGORIES have a name that no parser knows.
    """
    if found := _START.search(text[:_START_LENGTH]):
        text = text[found.start() :]
    if declaration := _DECLARATION.match(text):
        text = text[declaration.end() :]
    declared = frozenset(_DECLARED_NAME.findall(text[:_START_LENGTH]))
    return "".join(_mended_pieces(text.translate(_NO_CHARACTERS), declared))


def _mended_pieces(text: str, declared: frozenset[str]) -> Iterator[str]:
    position, categories = 0, _Categories()
    while (begin := text.find("<![CDATA[", position)) >= 0:
        if (end := text.find("]]>", begin)) < 0:
            break
        yield _mend_markup(text[position:begin], declared, categories)
        yield text[begin : end + 3]
        position = end + 3
    yield _mend_markup(text[position:], declared, categories)


def _mend_markup(markup: str, declared: frozenset[str], categories: _Categories) -> str:
    markup = _CATEGORY.sub(categories.bound, _BARE_LESS_THAN.sub("&lt;", markup))
    return _REFERENCE.sub(lambda found: _reference(found, declared), markup)


class _Categories:
    """Counts the categories of the entry that a document is at."""

    def __init__(self) -> None:
        self.count = 0
        self.is_read = True

    def bound(self, tag: re.Match[str]) -> str:
        """Return the start of the tag, with another name if it is a category too many."""
        name, is_end = tag["name"].lower(), tag["start"].startswith("</")
        if name in ("item", "entry"):
            self.count = 0
            return tag[0]
        # An end has the name of its beginning, or the entry would end with it.
        if not is_end:
            self.count += 1
            is_list = name in ("keywords", "tags")
            self.is_read = self.count <= MAX_CATEGORIES and (not is_list or _is_short(tag))
        return tag[0] if self.is_read else f"{tag['start']}unread-{tag['name']}"


def _is_short(tag: re.Match[str]) -> bool:
    """Tell whether the element's text ends soon: each of its words becomes a category."""
    begin = tag.string.find(">", tag.end(), tag.end() + _KEYWORDS_LENGTH)
    return begin >= 0 and tag.string.find("<", begin, begin + _KEYWORDS_LENGTH) >= 0


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
