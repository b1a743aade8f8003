"""Turn a publisher's markup into plain text that is safe to print."""

from __future__ import annotations

import html
import re
import unicodedata

import nh3

from digest.shorten import truncate

TITLE_LENGTH = 300
SUMMARY_LENGTH = 500
BODY_SUMMARY_LENGTH = 320  # of a summary that is taken from the text of an article
NAME_LENGTH = 80

# A text of the lengths above never needs more markup than this.
_MARKUP_LENGTH = 50_000
# Feeds that escape their text two or three times are common; no serious feed nests more deeply.
_MAX_UNESCAPE_ROUNDS = 5
# Without a space before these tags, the end of one paragraph would run into the next.
_BLOCK_TAG = re.compile(
    r"<(?=/?(?:p|div|br|hr|li|ul|ol|dl|dt|dd|h[1-6]|tr|td|th|table|blockquote|figure|figcaption"
    r"|section|article|header|footer|pre)\b)",
    re.IGNORECASE,
)
_ESCAPED_AMPERSAND = re.compile(r"&(?:amp;|#38;|#x26;)+", re.IGNORECASE)
# Invisible characters that reorder or hide text: soft hyphen, zero-width space, bidi embeddings,
# overrides and isolates, invisible operators, byte order mark, interlinear annotation. The
# joiners (200C, 200D) are part of Persian words and of emoji, and stay.
_INVISIBLE = re.compile(
    r"[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# What blog software puts after a summary: these words at the end, or a sentence such as
# “The post (title) appeared first on (outlet)”, whose parts have at most these lengths.
_MORE = re.compile(
    r"(?:\b(?:Continue reading|Read (?:more|on)|Read the full (?:story|article)|Keep reading)"
    r" ?(?:…|\.\.\.|→|»|>{0,9})|\[?(?:…|\.\.\.)\])$",
    re.IGNORECASE,
)
_LONGEST_MORE = 40
_APPEARED_ON = re.compile(r" (?:first )?appeared (?:first )?on ", re.IGNORECASE)
_LONGEST_POST, _LONGEST_OUTLET = 320, 100


def plain_text(markup: str) -> str:
    """Return the markup's text on one line, without tags, entities and control characters.

    The text is safe to print wherever it is escaped once. Cleaning it again changes nothing.
    """
    text = markup[:_MARKUP_LENGTH]
    for _ in range(_MAX_UNESCAPE_ROUNDS):
        before, text = text, _unescape_once(text)
        if text == before:
            return text
    return _visible(re.sub(r"[<>&]", " ", text))


def _unescape_once(text: str) -> str:
    text = _ESCAPED_AMPERSAND.sub("&", _visible(text))
    if "<" in text:
        text = nh3.clean(_BLOCK_TAG.sub(" <", text), tags=set())
    return _visible(html.unescape(text))


def _visible(text: str) -> str:
    """Fold whitespace, remove controls, lone surrogates and invisible characters; return NFC."""
    text = _INVISIBLE.sub("", " ".join(text.split()))
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
    return " ".join(unicodedata.normalize("NFC", text).split())


def title(markup: str) -> str:
    return truncate(plain_text(markup), TITLE_LENGTH)


def name(markup: str, limit: int = NAME_LENGTH) -> str:
    """Return the name of an author or an outlet as plain text."""
    return truncate(plain_text(markup), limit)


def summary(markup: str, *, title: str = "") -> str:
    """Return the summary without blog software's tail; empty if it only repeats the title."""
    # A longer summary is cut further down, so its tail is lost anyway.
    text = truncate(plain_text(markup), 4 * SUMMARY_LENGTH)
    bare = _without_tail(text)
    if bare and bare != text and bare[-1] not in ".!?…。”\"'»":
        bare += "…"
    return "" if bare.casefold() == title.casefold() else truncate(bare, SUMMARY_LENGTH)


def _without_tail(text: str) -> str:
    """Return the text, which is on one line, without what blog software puts after it."""
    while True:
        cut = min(_start_of_more(text), _start_of_post(text))
        if cut == len(text):
            return text
        text = text[:cut].rstrip()


def _start_of_more(text: str) -> int:
    found = _MORE.search(text, max(0, len(text) - _LONGEST_MORE))
    return found.start() if found else len(text)


def _start_of_post(text: str) -> int:
    begin = max(0, len(text) - _LONGEST_POST - _LONGEST_OUTLET)
    for appeared in _APPEARED_ON.finditer(text, begin):
        if 0 < len(text) - appeared.end() <= _LONGEST_OUTLET:
            post = text.find(
                "The post ", max(0, appeared.start() - _LONGEST_POST), appeared.start()
            )
            return post if post >= 0 else len(text)
    return len(text)
