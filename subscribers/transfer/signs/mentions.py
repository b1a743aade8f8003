"""Find a word of leaving where none belongs: in a name, in a note, in a line of its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from subscribers.transfer.signs.leaving_words import STEMS, WORDS, plain
from subscribers.transfer.signs.meanings import has_left, is_leaving_word

# What is longer is no name, and no heading.
_LONGEST = 200
_MOST_WORDS = 4
# What parts a remark from a name: Bo (abgemeldet), Ann [unsubscribed], left: Cy, Di - bounced.
_MARKS = "()[]{}<>:*#|=\u3010\u3011\u2013\u2014"
# Whether there may be a remark at all, or an address.
_MARKED = re.compile(r"[()\[\]{}<>:*#|=@\u3010\u3011\u2013\u2014\uff00-\uff65]|\s-|-\s")
_APART = str.maketrans(dict.fromkeys(_MARKS, "\n"))
_PHRASES = frozenset(word for word in WORDS if is_leaving_word(word))
_FIRST_WORDS = frozenset(phrase.split()[0] for phrase in _PHRASES)
_FOREIGN_STEMS = tuple(stem for stem in STEMS if not stem.isascii())
# How phrases and stems of leaving begin, so that most notes need no closer look.
_HEADS = frozenset(one[:3] for one in (*_PHRASES, *STEMS))
_WORDS_OF_LEAVING = frozenset(
    word for word, kind in WORDS.items() if has_left(kind) and " " not in word
)


def mentions_leaving(text: str) -> bool:
    """Return whether a name, or what stands beside an address, says that its person left.

    In brackets and after a colon or a dash any word of leaving counts. Elsewhere only words do that
    are nobody's name: people are called Block and Hard.
    """
    if not _MARKED.search(text) and not any(map(_may_begin, text.split())):
        return False  # as nearly all names are
    text = without_addresses(unicodedata.normalize("NFKC", text[:_LONGEST]))
    words = plain(text).split()
    if any(phrase in _PHRASES for phrase in _phrases(words)):
        return True
    if any(map(_has_stem, words)):
        return True
    remarks = _remarks(text)
    return len(remarks) > 1 and any(map(_is_word_of_leaving, remarks))


def begins_with_leaving(text: str) -> bool:
    """Return whether a note is, or begins with, words that hardly mean anything but leaving."""
    head = text[:3]
    is_plain = head.isascii() and head.isalnum()
    if head[:1].isdecimal() or (is_plain and head.lower() not in _HEADS):
        return False  # as nearly all notes do
    words = plain(text[:_LONGEST]).split()[:_MOST_WORDS]
    if not words:
        return False
    if "".join(words).startswith(STEMS) or _has_stem(words[0]):
        return True
    return any(" ".join(words[:length]) in _PHRASES for length in range(1, len(words) + 1))


def is_heading(cells: Sequence[str]) -> bool:
    """Return whether a line without an address is a heading over people who left.

    `cells` are those that may hold it. It is a word of leaving for itself, with or without others:
    “Unsubscribed:”, “--- Inactive readers ---”.
    """
    found = [cell[:_LONGEST] for cell in cells if cell]
    if not found:
        return False
    if any(_is_word_of_leaving(cell) or mentions_leaving(cell) for cell in found):
        return True
    return len(found) == 1 and not _WORDS_OF_LEAVING.isdisjoint(plain(found[0]).split())


def without_addresses(text: str) -> str:
    """Return what stands beside the addresses in a text, its words apart by one blank.

    Questions are stored, and no stored question holds an address.
    """
    if "@" not in text:
        return text
    return " ".join(word for word in text.replace("<", " ").split() if "@" not in word)


@lru_cache(maxsize=50_000)
def _may_begin(word: str) -> bool:
    """Return whether a phrase of leaving may begin within the word, or is in it."""
    return any(part in _FIRST_WORDS or _has_stem(part) for part in plain(word).split())


def _has_stem(word: str) -> bool:
    if word.startswith(STEMS):
        return True
    # Japanese writes no blanks.
    return not word.isascii() and any(stem in word for stem in _FOREIGN_STEMS)


def _phrases(words: list[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        if word in _FIRST_WORDS:
            for length in range(1, _MOST_WORDS + 1):
                yield " ".join(words[at : at + length])


def _remarks(text: str) -> list[str]:
    return text.translate(_APART).replace(" -", "\n").replace("- ", "\n").split("\n")


def _is_word_of_leaving(text: str) -> bool:
    kind = WORDS.get(plain(text))
    return kind is not None and has_left(kind)
