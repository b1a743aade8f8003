"""Find an editor's words in a text, and folders in an address: whole words, and no patterns.

What an editor writes is never a regular expression. So it cannot be wrong as one, nor take long.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from urllib.parse import unquote, urlsplit

# Of a text so much is looked at: a headline has 300 characters at most.
_LOOKED_AT = 2000
# Signs that stand for one sign in a headline. Dashes count as blanks.
_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u0060\u00b4", "'"),
        **dict.fromkeys("-\u2010\u2011\u2012\u2013\u2014\u2015_/", " "),
        # An alef is often written without its hamza; a tatweel only makes a word longer.
        **dict.fromkeys("\u0622\u0623\u0625\u0671", "\u0627"),
        "\u0640": None,
        # Invisible: soft hyphen, joiners, marks of direction.
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", None),
        # The vowel signs of Arabic and Hebrew, which headlines leave out.
        **dict.fromkeys(map(chr, (*range(0x64B, 0x653), 0x670, *range(0x5B0, 0x5BD))), None),
    }
)
# Scripts without blanks between words, by the first and the last character: Thai, Lao, Burmese,
# Khmer, kana, the signs of Chinese and Japanese. There, words are found inside of words.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x31F0, 0x31FF),
    (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip


# Each rule of a newsletter asks for the same headlines.
@lru_cache(maxsize=4096)
def plain_form(text: str) -> str:
    """Return the text as it is compared: in small letters, of one width, with single blanks."""
    folded = unicodedata.normalize("NFKC", text[:_LOOKED_AT]).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).translate(_SAME).split())


def has_words(text: str, words: str) -> bool:
    """Tell whether the words stand in the text, whole and one after the other.

    Capitals and the kind of dash do not count. Words of nothing but blanks are in no text.
    """
    wanted, within = plain_form(words), plain_form(text)
    start = within.find(wanted) if wanted else -1
    while start >= 0:
        if _is_edge(within, start) and _is_edge(within, start + len(wanted)):
            return True
        start = within.find(wanted, start + 1)
    return False


@lru_cache(maxsize=4096)
def folders_of(address: str) -> tuple[str, ...]:
    """Return the parts of a URL's path, or of a path, without regard to capitals."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ()
    parts = unquote(path[:_LOOKED_AT]).split("/")
    return tuple(unicodedata.normalize("NFC", part.casefold()) for part in parts if part.strip())


def begins_with(url: str, path: str) -> bool:
    """Tell whether the URL's path begins with these folders, each of them whole."""
    wanted = folders_of(path)
    return bool(wanted) and folders_of(url)[: len(wanted)] == wanted


def has_folders(url: str, path: str) -> bool:
    """Tell whether the folders stand anywhere in the URL's path, one after the other."""
    wanted, parts = folders_of(path), folders_of(url)
    return bool(wanted) and any(
        parts[start : start + len(wanted)] == wanted for start in range(len(parts))
    )


def _is_edge(text: str, at: int) -> bool:
    """Tell whether a word begins or ends there; in a script without blanks, one may anywhere."""
    if at == 0 or at == len(text):
        return True
    before, after = text[at - 1], text[at]
    return not (_is_of_word(before) and _is_of_word(after))


def _is_of_word(character: str) -> bool:
    if any(first <= ord(character) <= last for first, last in _UNSPACED):
        return False
    return character.isalnum() or unicodedata.category(character).startswith("M")
