"""Know the months' names in the languages that newsrooms write in."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

# Newsletters are in the first seven languages. Their feeds may be in a neighbour's.
LANGUAGES = (
    "en", "de", "fr", "es", "pt", "ar", "ja",
    "it", "ca", "gl", "eu", "nl", "da", "nb", "sv", "fi", "is", "et", "lv", "lt", "pl", "cs", "sk",
    "hu", "sl", "hr", "sr", "ro", "bg", "uk", "ru", "el", "tr", "he", "fa", "zh", "ko", "vi", "id",
)  # fmt: skip
_ENGLISH_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_ENGLISH = {
    short: number
    for number, name in enumerate(_ENGLISH_MONTHS, start=1)
    for short in (name, name[:3])
} | {"sept": 9}
_ENGLISH_BESIDE = {
    short
    for name in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for short in (name, name[:3])
} | {"tues", "thur", "thurs", "at", "on", "of", "the", "15", "2026"}  # fmt: skip


# How names are written without the letters of their language, as small letters: ä is ae, and
# in Turkish the small letter of I is \u0131.
_SPELLINGS = {
    "maerz": "märz", "jaenner": "jänner", "kasim": "kas\u0131m", "aralik": "aral\u0131k",
    "mayis": "may\u0131s", "sali": "sal\u0131",
} | {
    # Latvian's “in November”.
    f"{name}{ending}": f"{name}{usual}"
    for ending, usual, names in (
        ("ī", "is", "janvār februār aprīl septembr oktobr novembr decembr"),
        ("ā", "s", "mart maij jūnij jūlij august"),
    )
    for name in names.split()
}  # fmt: skip

# Arabic has three more sets of names: the Levant's, and those of Algeria and Tunisia, and Morocco.
_ARABIC = {
    "كانون الثاني": "يناير", "شباط": "فبراير", "آذار": "مارس", "نيسان": "أبريل", "أيار": "مايو",
    "حزيران": "يونيو", "تموز": "يوليو", "آب": "أغسطس", "أيلول": "سبتمبر",
    "تشرين الأول": "أكتوبر", "تشرين الثاني": "نوفمبر", "كانون الأول": "ديسمبر",
    "جانفي": "يناير", "فيفري": "فبراير", "أفريل": "أبريل", "جوان": "يونيو", "جويلية": "يوليو",
    "أوت": "أغسطس", "ماي": "مايو", "يوليوز": "يوليو", "غشت": "أغسطس", "شتنبر": "سبتمبر",
    "نونبر": "نوفمبر", "دجنبر": "ديسمبر",
}  # fmt: skip
# An alef is often written without its hamza.
_WORD = re.compile(r"[^\W\d_]++")
_BARE_ALEF = dict.fromkeys(map(ord, "أإآ"), "\u0627")
_ARABIC_BARE = {name.translate(_BARE_ALEF): month for name, month in _ARABIC.items()}
_ARABIC_NAME = re.compile(rf"\b(?:{'|'.join(sorted(_ARABIC_BARE, key=len, reverse=True))})\b")


def month_named(words: str, language: str) -> int | None:
    """Return the month of a date of day 15 in the year 2026, whose other words are to be read.

    Without a language, or with a wrong one, all languages must agree: “listopad” is November in
    Polish and October in Croatian.
    """
    words = words.casefold()
    months = [_ENGLISH[word] for word in _split(words) if word in _ENGLISH]
    if len(months) == 1 and _ENGLISH_BESIDE.issuperset(set(_split(words)) - _ENGLISH.keys()):
        return months[0]
    bare = words.translate(_BARE_ALEF)
    if _ARABIC_NAME.search(bare):
        words = _ARABIC_NAME.sub(lambda name: _ARABIC_BARE[name[0]], bare)
    words = _WORD.sub(lambda word: _SPELLINGS.get(word[0], word[0]), words)
    # dateparser takes “a” for January and “x” for October.
    if not any(len(word) > 2 for word in _WORD.findall(words)):
        return None
    return _in_any_language(words, language)


def is_weekday(words: str, language: str) -> bool:
    """Tell whether all of the words are read in one language beside a date in numbers."""
    words = _WORD.sub(lambda word: _SPELLINGS.get(word[0], word[0]), words.casefold())
    if _ENGLISH_BESIDE.issuperset(_split(words)):
        return True
    return _in_any_language(f"{words} 15.01.2026", language) == 1


def _split(words: str) -> list[str]:
    return words.replace(".", " ").replace("-", " ").split()


@lru_cache(maxsize=1000)
def _in_any_language(words: str, language: str) -> int | None:
    found = _in_language(words, language) if language in LANGUAGES else None
    if found is not None:
        return found
    all_found = {_in_language(words, each) for each in LANGUAGES} - {None}
    return all_found.pop() if len(all_found) == 1 else None


def _in_language(words: str, language: str) -> int | None:
    found = _parser(language).get_date_data(words).date_obj
    # The name of a zone or of an hour among the words would be one that nobody looked up.
    if found is None or found.tzinfo or (found.year, found.day, found.hour) != (2026, 15, 0):
        return None
    return int(found.month)


@lru_cache
def _parser(language: str) -> Any:
    """Return dateparser for one language; it is told to complete nothing and to guess nothing."""
    # It is imported when the first date needs it: most feeds' dates are in English, and its 13 MB
    # would be in each process.
    return import_module("dateparser.date").DateDataParser(
        languages=[language],
        try_previous_locales=False,
        settings={"STRICT_PARSING": True, "PARSERS": ["absolute-time"], "DATE_ORDER": "DMY"},
    )
