"""Read the dates of a list strictly: what is not understood as a whole is no date.

Services and spreadsheets write them as ISO 8601, in the order of a country, with the month's name
in a language, or as a number: seconds since 1970, or days as Excel counts them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache

from subscribers.transfer.calendar_names import MONTHS, WEEKDAYS

_LONGEST = 60
# No list has readers from before this year. 1900, 1904 and 1970 are how programs write “never”.
_FIRST_YEAR = 1990
_TOKENS = re.compile(r"\d+|[^\W\d_]+|[^\w\s]")
# Go's own time format, which listmonk exports: 2020-09-06 13:16:07.142367 +0200 CEST.
_GO_ZONE = re.compile(r" ([+-]\d{4})( [A-Z0-9+-]+)?$")
_FILLERS = frozenset((
    "de", "del", "of", "the", "at", "on", "um", "uhr", "le", "à", "las", "às", "h", "th", "st",
    "nd", "rd", "er", "o", "a", "°", ",", "،", ".", "في", "الساعة", "hs", "hrs",
))  # fmt: skip
_CLOCK_MARKS = frozenset({":", "h", "時", "分"})
_AM = frozenset({"am", "ص", "午前"})
_PM = frozenset({"pm", "م", "午後"})
# RFC 5322, 4.3: the only names of zones that mean one offset, in hours.
_ZONES = {
    "utc": 0, "gmt": 0, "z": 0, "ut": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7,
    "mdt": -6, "pst": -8, "pdt": -7,
}  # fmt: skip
# How long a number is that is a date, and how long one that counts seconds or parts of seconds.
_DIGITS = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}
_PER_SECOND = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6}
_NO_DATES = ("0000-00-00", "0001-01-01", "1900-01-00", "1970-01-01T00:00", "1970-01-01 00:00")
_ZERO_DATE = re.compile(
    r"\s*(?:00?[-./]00?[-./]0000|0000[-./]00?[-./]00?)(?:[T ][0:.]{4,16}Z?)?\s*"
)
_NEVER = frozenset({"0", "-", "null", "none", "nil", "n/a", "na", "never", "\\n", "nan"})


class DateOrder(StrEnum):
    """Which number comes first in a date such as 03/04/2021."""

    DMY = "dmy"
    MDY = "mdy"


# Which order a file has, for each character that separates the numbers. A file that was put
# together from two others may have 6/19/2017 beside 19.06.2017.
Orders = Mapping[str, DateOrder]


def is_empty(text: str) -> bool:
    """Return whether the cell says that there is no date, as databases and programs write it."""
    if not text or text.startswith(_NO_DATES) or text.strip().casefold() in _NEVER:
        return True
    return is_zero_date(text)


def is_zero_date(text: str) -> bool:
    """Return whether the text is a date of zeros, in any order: 00.00.0000, 0000-00-00 00:00:00."""
    return bool(_ZERO_DATE.fullmatch(text))


def read_date(text: str, orders: Orders) -> datetime | None:
    """Return the time, as UTC if it names no zone; None if any part of it is not understood."""
    text = text.strip("\ufeff\u200b\xa0 \t'\"")
    if not text or len(text) > _LONGEST:
        return None
    if text.replace(".", "", 1).isdecimal():
        found = _number(text)
    else:
        found = _iso(text) or _words(text, orders)
    return found if found and _FIRST_YEAR <= found.year < 9999 else None


def is_date(text: str) -> bool:
    """Return whether the text is a date in either order."""
    return any(read_date(text, dict.fromkeys("/-", order)) is not None for order in DateOrder)


def order_of(text: str) -> tuple[str, DateOrder | None] | None:
    """Return the separator of a date in numbers, and its order if the numbers decide it.

    None if the order of such a date is no question: 2021-03-04, 04.03.2021, 4 March 2021.
    """
    head = text[:16].lstrip("\ufeff\u200b\xa0 \t'\"")
    separator = "/" if "/" in head else "-"
    first, _, rest = head.partition(separator)
    second = rest.partition(separator)[0]
    if not (_is_part(first) and _is_part(second)):
        return None
    one, two = int(first), int(second)
    if one == two or max(one, two) > 31 or min(one, two) > 12:
        return None
    if max(one, two) <= 12:
        return separator, None
    return separator, DateOrder.DMY if one > 12 else DateOrder.MDY


def _is_part(text: str) -> bool:
    return 1 <= len(text) <= 2 and text.isdecimal()


def _iso(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(_GO_ZONE.sub(r"\1", text))
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _number(text: str) -> datetime | None:
    """Read 20210304, 20210304140500, seconds (or parts of them) since 1970, or Excel's days."""
    whole, _, rest = text.partition(".")
    length = len(whole)
    try:
        if length in _DIGITS and not rest:
            return datetime.strptime(whole, _DIGITS[length]).replace(tzinfo=UTC)
        if length in _PER_SECOND:
            return datetime.fromtimestamp(int(whole) / _PER_SECOND[length], UTC)
        if length == 5:
            # Day 1 was 1 January 1900, and Excel counts a 29 February 1900 that never was.
            seconds = round(float(text) * 86400)
            return datetime(1899, 12, 30, tzinfo=UTC) + timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _words(text: str, orders: Orders) -> datetime | None:
    tokens = _tokens(text)
    clock = _take_clock(tokens)
    zone = _take_zone(tokens)
    if clock is None or zone is None:
        return None
    day = _day(tuple(tokens), orders.get("/"), orders.get("-"))
    if day is None:
        return None
    try:
        return datetime(*day, *clock, tzinfo=timezone(timedelta(minutes=zone)))
    except ValueError:
        return None


def _tokens(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).casefold()
    if "年" in text:  # 2023年2月3日
        text = text.replace("年", "-", 1).replace("月", "-", 1).replace("日", " ", 1)
    text = text.replace("a.m.", "am").replace("p.m.", "pm").replace("a. m.", "am")
    tokens = _TOKENS.findall(text.replace("p. m.", "pm"))
    return [str(int(one)).zfill(len(one)) if one.isdecimal() else one for one in tokens]


def _take_clock(tokens: list[str]) -> tuple[int, int, int] | None:
    """Take the time of day out of the tokens; midnight if there is none, None if it is wrong."""
    mark = next((n for n in range(1, len(tokens)) if tokens[n] in _CLOCK_MARKS), None)
    half = next((n for n, one in enumerate(tokens) if one in _AM or one in _PM), None)
    if mark is None and half is None:
        return 0, 0, 0
    begin = mark - 1 if mark is not None else (half or 0) - 1
    if begin < 0 or not tokens[begin].isdecimal():
        return None
    numbers, end = _clock_numbers(tokens, begin)
    is_pm = None
    if half is not None and half in (begin - 1, end):
        is_pm = tokens[half] in _PM
        begin, end = min(begin, half), max(end, half + 1)
    del tokens[begin:end]
    hour, minute, second = (int(one) for one in [*numbers, "0", "0"][:3])
    if is_pm is not None:
        if hour > 12:
            return None
        hour = hour % 12 + 12 * is_pm
    return (hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _clock_numbers(tokens: list[str], begin: int) -> tuple[list[str], int]:
    """Return hour, minute and second, as far as they are there, and where they end."""
    numbers, end = [tokens[begin]], begin + 1
    while len(numbers) < 3 and tokens[end : end + 1] and tokens[end] in _CLOCK_MARKS:
        if not tokens[end + 1 : end + 2] or not tokens[end + 1].isdecimal():
            break
        numbers.append(tokens[end + 1])
        end += 2
    if tokens[end : end + 1] and tokens[end] in ("h", "時", "分", "秒"):
        end += 1
    if len(numbers) == 3 and len(tokens) > end + 1 and tokens[end] in (".", ","):
        end += 2 if tokens[end + 1].isdecimal() else 0  # a fraction of a second
    return numbers, end


def _take_zone(tokens: list[str]) -> int | None:
    """Take the zone off the end and return its minutes; 0 if there is none."""
    if tokens[-1:] == [")"] and "(" in tokens:  # GMT+0100 (CET)
        del tokens[tokens.index("(") :]
    minutes = 0
    if tokens and tokens[-1] in _ZONES:
        minutes = 60 * _ZONES[tokens.pop()]
    for length in (4, 2):  # +02:00 and +0200
        tail = tokens[-length:]
        if len(tail) < length or tail[0] not in "+-" or len(tokens) < length + 3:
            continue
        digits = "".join(tail[1:]).replace(":", "")
        if len(digits) == 4 and digits.isdecimal() and (length == 2 or tail[2] == ":"):
            del tokens[-length:]
            sign = -1 if tail[0] == "-" else 1
            minutes = sign * (60 * int(digits[:2]) + int(digits[2:]))
            if tokens[-1] in ("gmt", "utc"):
                tokens.pop()
            break
    return minutes if abs(minutes) < 24 * 60 else None


@lru_cache(maxsize=20_000)
def _day(
    tokens: tuple[str, ...], slash: DateOrder | None, dash: DateOrder | None
) -> tuple[int, int, int] | None:
    """Return year, month and day of what is left of a date without its time."""
    rest = [one for one in tokens if not _is_filler(one)]
    words = [one for one in rest if one.isalpha()]
    numbers = [one for one in rest if one.isdecimal()]
    marks = [one for one in rest if not one.isalpha() and not one.isdecimal()]
    if len(words) == 1 and (month := MONTHS.get(_plain(words[0]))):
        if len(numbers) != 2 or set(marks) - {"-", "/"}:
            return None
        day, year = sorted(numbers, key=len) if len(numbers[0]) != len(numbers[1]) else numbers
        return (_year(year), month, int(day)) if len(day) <= 2 else None
    dots = [one for one in tokens if one == "."]
    if words or len(numbers) != 3:
        return None
    if marks not in (["/", "/"], ["-", "-"]) and (marks or len(dots) not in (2, 3)):
        return None
    if len(numbers[0]) == 4:
        return int(numbers[0]), int(numbers[1]), int(numbers[2])
    if any(len(one) > 2 for one in numbers[:2]):
        return None
    return _in_order(
        numbers, {"/": slash, "-": dash}.get(marks[0] if marks else ".", DateOrder.DMY)
    )


def _in_order(numbers: list[str], order: DateOrder | None) -> tuple[int, int, int] | None:
    one, two, year = int(numbers[0]), int(numbers[1]), _year(numbers[2])
    if max(one, two) > 31 or min(one, two) > 12:
        return None
    if max(one, two) > 12:
        order = DateOrder.DMY if one > 12 else DateOrder.MDY
    if order is None and one != two:
        return None
    return (year, one, two) if order is DateOrder.MDY else (year, two, one)


def _is_filler(word: str) -> bool:
    return word in _FILLERS or word in {"(", ")"} or _plain(word) in WEEKDAYS


def _year(text: str) -> int:
    year = int(text)
    return year + 2000 if len(text) == 2 else year if len(text) == 4 else 0


def _plain(word: str) -> str:
    return word.casefold().strip(".")
