"""Cut a text into words, in any script, as far as telling what it is about needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# So many letters of a word tell it from others; what follows is mostly an ending.
STEM_LETTERS = 6
# A summary says something if it has so many words that are not in the title.
OWN_WORDS, TEXT_CHARACTERS = 5, 600

# Chinese, Japanese and Thai are written without blanks: each two of their letters count as a word,
# so three are a phrase.
_RUN = "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]"
_WORD = re.compile(rf"(?P<run>{_RUN}+)|(?:(?!{_RUN})[^\W_])+")
_ARABIC_ARTICLE = re.compile(r"(?:و|ف)?(?:ال|بال|لل)(?=\w{3})")
# German writes every noun with a capital. A text with two of these is German.
_GERMAN = frozenset(("der", "die", "das", "den", "dem", "des", "ein", "eine", "und", "im", "mit"))


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands in its text; what its forms have in common is its stem.

    `is_caseless` says that a capital would say nothing: its script has none, or its text is German.
    `is_run` says that it is two letters of a text without blanks.
    """

    surface: str
    stem: str
    start: int
    end: int
    is_caseless: bool
    is_run: bool = False

    @property
    def may_be_topic(self) -> bool:
        """Whether it can be part of one: no number, and no particle of one or two letters."""
        return not self.surface.isdigit() and (len(self.surface) > 2 or self.is_run)


def words_of(text: str) -> Iterator[Word]:
    """Yield the words in the text's order; numbers are words, too."""
    found = list(_WORD.finditer(text))
    german = len(_GERMAN.intersection(match[0] for match in found)) >= 2
    for match in found:
        start, end = match.span()
        if not match["run"]:
            is_caseless = german or match[0].upper() == match[0].lower()
            yield Word(match[0], stem_of(match[0]), start, end, is_caseless)
            continue
        for at in range(start, max(end - 1, start + 1)):
            pair = text[at : min(at + 2, end)]
            yield Word(pair, pair, at, at + len(pair), is_caseless=True, is_run=True)


def is_run(word: str) -> bool:
    """Whether a word is in a script without blanks."""
    match = _WORD.match(word)
    return bool(match and match["run"])


def stem_of(word: str) -> str:
    """Return what a word's forms have in common."""
    stem = _ARABIC_ARTICLE.sub("", word.casefold(), count=1)
    if len(stem) > 3:
        stem = stem.removesuffix("s")
    return stem[:STEM_LETTERS]


def says_more(summary: str, *, than: str) -> bool:
    """Whether a summary has enough words of its own that its title does not have."""
    title = {word.stem for word in words_of(than[:TEXT_CHARACTERS])}
    own = {word.stem for word in words_of(summary[:TEXT_CHARACTERS])} - title
    return len(own) >= OWN_WORDS
