"""Say what a value of a column says of its person."""

from __future__ import annotations

import re
from collections.abc import Iterable

from subscribers.transfer.dates import is_date, is_empty, is_zero_date
from subscribers.transfer.presets import RowKind
from subscribers.transfer.signs import leaving_words
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.roles import ColumnRole, Role

# If several columns speak of one person, the worst counts.
_SEVERITY = {
    RowKind.READER: 0, RowKind.UNCONFIRMED: 1, RowKind.UNSUBSCRIBED: 2, RowKind.CLEANED: 3,
    RowKind.BLOCKED: 4, RowKind.COMPLAINED: 5,
}  # fmt: skip
# Excel and pandas write 1 and 0 so if one cell of the column is empty.
_FLOATS = {f"{n}{mark}{zeros}": n for n in "01" for mark in ".," for zeros in ("0", "00")}
# RFC 3463, 2: a delivery that failed for good.
_BOUNCE_CODE = re.compile(r"5\.\d{1,3}\.\d{1,3}")
# A cell that is longer, or has more words, is a text and no status.
LONGEST_WORD, _MOST_WORDS = 40, 4


def meaning(value: str, column: ColumnRole) -> RowKind | None:
    """Return what a cell says of its person in such a column; None if it is not understood."""
    if column.role is Role.LEFT and value[:4].isdecimal() and is_date(value):
        return column.kind  # most times that somebody left are written so
    if (flag := leaving_words.MARKS.get(value.strip("\ufe0f "))) is not None:
        return _flag(column, is_yes=flag)
    value = _FLOATS.get(value, value)
    word = plain(value)
    if word in leaving_words.BLANKS or is_zero_date(value):
        return RowKind.READER
    known = _known(word, value)
    match column.role:
        case Role.TAGS:
            return _worst_tag(value)
        case Role.STATE_OF | Role.AGREES | Role.ENDED if known and has_left(known):
            return known if is_leaving_word(value) else None
        case Role.REASON:
            if word in leaving_words.NOTHING or is_empty(value):
                return RowKind.READER
            return known if is_leaving_word(value) else column.kind
        case Role.RECEIVES | Role.SUBSCRIBED if _says_no(word):
            return RowKind.UNSUBSCRIBED
        case Role.AGREES | Role.RECEIVES if known is None:
            is_open = _says_no(word) or looks_like_leaving(value)
            return None if is_open else RowKind.READER
        case Role.ENDED:
            return RowKind.READER if _says_no(word) or is_empty(value) else known
    if word in leaving_words.YES or word in leaving_words.NO:
        return _flag(column, is_yes=word in leaving_words.YES)
    if column.role in (Role.LEFT, Role.SUBSCRIBED, Role.CONFIRMED) and known is None:
        return _date_or_nothing(value, word, column)
    return known


def _known(word: str, value: str) -> RowKind | None:
    """Return what a cell means wherever it stands: a status, with or without how it came about.

    “Unsubscribed via email” and “abgemeldet am 12.3.2021” are statuses; “unsubscribed from the
    print edition” is none.
    """
    if kind := leaving_words.WORDS.get(word):
        return kind
    if _BOUNCE_CODE.fullmatch(value):
        return RowKind.CLEANED
    if not is_short(value) or " " not in word:
        return None
    for length in (1, 2):
        words = word.split(" ")
        first = " ".join(words[:length])
        if words[length : length + 1] and words[length] in leaving_words.CIRCUMSTANCES:
            return leaving_words.WORDS[first] if is_leaving_word(first) else None
    return None


def _says_no(word: str) -> bool:
    """Return whether a cell says no, in whatever words: “No, thanks”, 希望しない."""
    if word in leaving_words.NO or word in leaving_words.NOTHING:
        return True
    return word.partition(" ")[0] in leaving_words.NO_FIRST or word.endswith(leaving_words.NO_LAST)


def _date_or_nothing(value: str, word: str, column: ColumnRole) -> RowKind | None:
    if word in leaving_words.NOTHING:
        return _flag(column, is_yes=False)
    if is_empty(value):
        return RowKind.READER
    return _flag(column, is_yes=True) if is_date(value) else None


def _flag(column: ColumnRole, *, is_yes: bool) -> RowKind | None:
    match column.role:
        case Role.LEFT | Role.REASON:
            return column.kind if is_yes else RowKind.READER
        case Role.SUBSCRIBED | Role.RECEIVES:
            return RowKind.READER if is_yes else RowKind.UNSUBSCRIBED
        case Role.CONFIRMED:
            return RowKind.READER if is_yes else RowKind.UNCONFIRMED
        case Role.AGREES:
            return RowKind.READER if is_yes else None
        case Role.ENDED:
            return None if is_yes else RowKind.READER
    return None


def _worst_tag(value: str) -> RowKind | None:
    """Return what the tags of a cell say; None if one only looks as if its person had left."""
    tags = value.replace(";", ",").replace("|", ",").split(",")
    found = worst(leaving_words.WORDS[plain(tag)] for tag in tags if is_leaving_word(tag))
    if found is RowKind.READER and any(map(looks_like_leaving, tags)):
        return None
    return found


def answer_key(value: str) -> str:
    """Return the value as an answer names it: its case and its accents do not matter."""
    return plain(value) or value.strip()


def worst(kinds: Iterable[RowKind]) -> RowKind:
    """Return what counts if several columns speak of one person; a reader if none does."""
    return max(kinds, key=_SEVERITY.__getitem__, default=RowKind.READER)


def has_left(kind: RowKind) -> bool:
    return _SEVERITY[kind] >= _SEVERITY[RowKind.UNSUBSCRIBED]


def is_leaving_word(value: str) -> bool:
    """Return whether the cell is a word that hardly means anything but leaving."""
    word = plain(value)
    kind = leaving_words.WORDS.get(word)
    return kind is not None and has_left(kind) and word not in leaving_words.AMBIGUOUS


def looks_like_leaving(value: str) -> bool:
    """Return whether a short cell has a part that is usual for leaving, such as “unsub 2020”."""
    if not is_short(value):
        return False
    squeezed = plain(value).replace(" ", "")
    return any(stem in squeezed for stem in leaving_words.STEMS)


def may_mean_leaving(value: str) -> bool:
    """Return whether the cell could mean leaving, if it is about mail at all."""
    kind = leaving_words.WORDS.get(plain(value))
    return (kind is not None and has_left(kind)) or looks_like_leaving(value)


def is_short(value: str) -> bool:
    return len(value) <= LONGEST_WORD and len(value.split()) <= _MOST_WORDS
