"""Read the date that a publisher wrote, or say that it cannot be read.

A date is believed only if each of its parts is understood. A part that is missing, a word that no
language has for a month or a weekday, and a zone that may be one of several make it unknown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit

from digest.feeds.months import is_weekday, month_named
from digest.feeds.zones import offset_named

# Older dates are dummies, such as .NET's year 1 and Unix's 1970. PostgreSQL would store even a date
# before year 1, and Python could then read none of the rows that come with it.
MIN_YEAR = 1990
MAX_LENGTH = 100
# Clocks and zones are wrong by hours; what is dated later than this is no date of publication.
MAX_AHEAD = timedelta(days=1)
# RFC 822 allowed two digits; RFC 5322 (section 4.3) has them mean the years from 1950 to 2049.
_CENTURY_TURN = 50
_ISO = re.compile(
    r"\d{4}-?\d\d-?\d\d(?:[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d++)?)?)?"
    r"(?: ?(?:Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?))?)?"
)
_DAYS_END = re.compile(r"[T ](24)(?=(?::?00){0,2}(?:[.,]0++)?(?![.,:\d]))")
_EPOCH = re.compile(r"(\d{10})(?:\d{3}|\.\d++)?")
# Java writes the zone's name after its offset.
_JAVA_NAME = re.compile(r"(?<=[\dZ])\[[\w/+-]{1,40}\]$")
_TIME = re.compile(
    r"(?<![\d.])(\d{1,2})(?::| ?(?:[hH]|heures?|Uhr) ?|時|时|點|点|시 ?)(\d{2})"
    r"(?:(?::|分|분 ?)(\d{2})(?:[.,]\d++)?)?(?:[秒분分초](?![^\W\d_]))?(?![\d:])"
)
# The half of the day, after the time or, in East Asian languages, before it.
_HALF_AFTER = re.compile(
    r" ?(?:([ap])\.? ?m\b\.?|(صباحا|ص|π\.?μ)\b\.?|(مساء|م|μ\.?μ)\b\.?)", re.IGNORECASE
)
_HALF_BEFORE = re.compile(r"(?:(午後|下午|오후)|午前|上午|오전) ?$")
_OFFSET = re.compile(r" ?(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?(?![\d.:/-])", re.IGNORECASE)
_GO_NAME = re.compile(r"^ [A-Z]{3,4}$")
_ZONE_NAME = re.compile(r" ?\(?([^\W\d_]{1,5})\b\)?")
# In German, Italian and the languages of the North a full stop may stand in the time, too.
_BEFORE_TIME = r"(?:um|kl|klo|om|ore|alle|godz)\.?"
_TIME_WITH_STOP = re.compile(
    rf"(?<=\d)[.,]?(?: {_BEFORE_TIME})? (\d{{1,2}})\.(\d{{2}})()(?: (?:Uhr|uur|h))?$", re.IGNORECASE
)
# A full hour, and the minutes of East Asian languages, which may have one digit.
_HOUR = re.compile(
    r"(?<![\d.:/-])(\d{1,2})(?: ?(?:時|时|點|点|시)(?![半반])(?: ?(\d{1,2}) ?[分분])?()"
    r"|(?= ?[ap]\.? ?m\b)|(?: ?h| (?:Uhr|uur|heures?))\b)",
    re.IGNORECASE,
)
_LATER = {"p", "P", "午後", "下午", "오후"}
_AFTER_TIME = {"UHR", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"}
_ZONE_COMMENT = re.compile(r" ?\([^()]{0,40}\)$")
# Year, month and day in any order, with what East Asian languages write after them.
_NUMERIC = re.compile(
    r"(?<![\d.])(\d{1,4})(?:(\. |[./-])(\d{1,2})(\. |[./-])|[年년] ?(\d{1,2}) ?[月월] ?)(\d{1,4})"
    r"(?: ?[日일]|\.)?(?![\d/-])"
)
# “º” has become “o” when it is looked for.
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|\.?[oa]|\.)(?![^\W_])", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
# What Lithuanian and Latvian write after a year and a day, and Vietnamese before them.
_CALLED = re.compile(r"(?<=\d) [md](?![\w'\u2019])\.?|(?<=\d{4})\.? gada\b", re.IGNORECASE)
_VIETNAMESE = re.compile(r"(?:\bngày )?(\d{1,2}) tháng (\d{1,2})(?:,| năm)? (\d{4})", re.IGNORECASE)
_SHORT_YEAR = re.compile(r"(?:[^\W\d_]{2,9}\.?,? )?\d{1,2}[ -][^\W\d_]{3,12}\.?[ -]\d\d")
# A feed's dates have some hundred different words beside their numbers, weekdays and months. Each
# costs milliseconds in all languages, so that a feed may ask for no more than these.
MAX_QUESTIONS = 200
MAX_WORDS = 8
# English is written with the month first in these countries, and with the day first elsewhere.
_MONTH_FIRST = {"US", "PH"}
# These languages write the year first, so that they do not tell in which order it stands last.
_YEAR_FIRST = {"ja", "zh", "ko", "hu", "lt", "fa"}
# The languages that share names of months, which mean other months, told apart by the country.
_LANGUAGES = {"PL": "pl", "HR": "hr", "CZ": "cs"}


@dataclass(frozen=True)
class DateContext:
    """What else is known of the dates of a feed: its language, its country, and their order.

    `language` is a code such as `de`, `country` one such as `AT`; either may be empty. `day_first`
    tells how 03/04/2026 is meant; None: nobody knows.
    """

    language: str = ""
    country: str = ""
    day_first: bool | None = None
    # The words beside the numbers, of all dates that were read so far.
    words: set[str] = field(default_factory=set, compare=False)


def context_of(dates: Iterable[str], *, language: str = "", host: str = "") -> DateContext:
    """Find what a feed's language, its host and all of its dates together say of each of them."""
    language, _, region = language.strip().lower().replace("_", "-").partition("-")
    country = _country(host) or (region.upper() if len(region) == 2 else "")
    language = language or _LANGUAGES.get(country, "")
    orders = {order for text in dates if (order := _order_shown(_plain(text))) is not None}
    if len(orders) == 1:
        return DateContext(language, country, orders.pop())
    # Two orders in one feed show that neither is its order.
    day_first = None if orders else _usual_order(language, country)
    return DateContext(language, country, day_first)


def _country(host: str) -> str:
    """Return the country of the host's top-level domain, such as `GB` for `www.bbc.co.uk`."""
    suffix = (urlsplit(f"//{host}").hostname or "").rpartition(".")[2].upper()
    return {"UK": "GB"}.get(suffix, suffix) if len(suffix) == 2 else ""


def _usual_order(language: str, country: str) -> bool | None:
    if language in ("", "en", "fil", "tl"):
        return None if not country else country not in _MONTH_FIRST
    return None if language in _YEAR_FIRST else True


def _order_shown(text: str) -> bool | None:
    """Return whether the day stands first, if one of the first two numbers can be no month."""
    found = _NUMERIC.search(text)
    if not found or not found[2] or len(found[1]) > 2 or len(found[6]) != 4:
        return None
    first, second = int(found[1]), int(found[3])
    return first > 12 if (first > 12) != (second > 12) else None


def read_date(text: str, context: DateContext | None = None) -> datetime | None:
    """Return the moment in UTC, or None if any part of the text is not understood.

    A time without a zone counts as UTC. A day without a time becomes noon in UTC, which is on that
    day nearly everywhere.
    """
    text, context = _plain(text), context or DateContext()
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        moment = _standard(text) or _written(text, context)
        moment = moment.astimezone(UTC) if moment else None
    except (ValueError, OverflowError):
        return None
    return moment if moment and moment.year >= MIN_YEAR else None


def is_far_ahead(moment: datetime, *, now: datetime) -> bool:
    """Tell whether the date means something else than when it was published."""
    return moment > now + MAX_AHEAD


def past(moment: datetime | None, *, now: datetime) -> datetime | None:
    """Return when it was published; None if that is far ahead, so that it means something else."""
    if moment is None or is_far_ahead(moment, now=now):
        return None
    # A date in the future would keep the story on top for hours.
    return min(moment, now)


def _plain(text: str) -> str:
    """Return the text on one line, with ASCII digits instead of any other script's."""
    text = _JAVA_NAME.sub("", unicodedata.normalize("NFKC", text[: 4 * MAX_LENGTH]).strip())
    digits = ("" if unicodedata.category(c) == "Cf" else _ascii_digit(c) for c in text)
    return " ".join("".join(digits).split())


def _ascii_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _standard(text: str) -> datetime | None:
    """Read ISO 8601 or seconds since 1970; raise ValueError if they name no moment."""
    if found := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(found[1]), tz=UTC)
    text = text.upper()
    if not _ISO.fullmatch(text):
        return None
    if found := _DAYS_END.search(text):
        # ISO 8601 has a second name for midnight, at the end of the day.
        morning = _standard(f"{text[: found.start(1)]}00{text[found.end(1) :]}")
        return morning + timedelta(days=1) if morning else None
    if len(text) <= len("2026-11-28"):
        return datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # such as “2026-11-28 15:07 CET”
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written(text: str, context: DateContext) -> datetime | None:
    """Read a date as people write it; raise ValueError if it names no moment."""
    text = _ZONE_COMMENT.sub("", text) if _OFFSET.search(text) else text
    clock = _TIME.search(text) or _TIME_WITH_STOP.search(text) or _HOUR.search(text)
    if clock is None:
        day = _day(text, context)
        return datetime.combine(day, time(12), tzinfo=UTC) if day else None
    hour, minute, second = int(clock[1]), int(clock[2] or 0), min(int(clock[3] or 0), 59)
    before, after = text[: clock.start()], text[clock.end() :]
    if half := _HALF_AFTER.match(after) or _HALF_BEFORE.search(before):
        if hour > 12:
            return None
        is_later = half[1] in _LATER or (half.re is _HALF_AFTER and half[3])
        hour = hour % 12 + (12 if is_later else 0)
        before, after = _HALF_BEFORE.sub("", before), _HALF_AFTER.sub("", after, count=1)
    offset, after = _zone(after, context)
    day = _day(f"{before} {after}", context)
    if day is None or offset is None:
        return None
    if (hour, minute, second) == (24, 0, 0):
        # As in ISO 8601 it is midnight, at the end of the day.
        hour, offset = 0, offset - timedelta(days=1)
    return datetime.combine(day, time(hour, minute, second), tzinfo=UTC) - offset


def _zone(rest: str, context: DateContext) -> tuple[timedelta | None, str]:
    """Return the offset from UTC that follows a time, None if it is unknown, and what is left."""
    if found := _OFFSET.match(rest):
        ahead = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        is_real = ahead <= timedelta(hours=14) and int(found[3] or 0) < 60
        ahead = -ahead if found[1] == "-" else ahead
        # Go writes the zone's name after its offset.
        return ahead if is_real else None, _GO_NAME.sub("", rest[found.end() :])
    found = _ZONE_NAME.match(rest)
    named, offset = offset_named(
        found[1] if found else "", language=context.language, country=context.country
    )
    if found and named:
        return offset, rest[found.end() :]
    # Capitals after a time are a zone's name, unless they are all that the date is written in.
    unknown = found and found[1].isupper() and found[1] not in _AFTER_TIME
    return None if unknown else timedelta(0), rest


def _day(text: str, context: DateContext) -> date | None:
    text = _VIETNAMESE.sub(r"\3-\2-\1", text)
    words = _CALLED.sub("", text).replace(",", " ").split()
    # Marks that stand alone say nothing, and dateparser takes long over many of them.
    text = " ".join(word for word in words if any(map(str.isalnum, word))).strip(
        " ,;|·-\u2013\u2014@"
    )
    if found := _NUMERIC.search(text):
        around = f"{text[: found.start()]} {text[found.end() :]}".strip(" ,.()")
        # Beside a date in numbers only a weekday is understood.
        if around and (_NUMBER.search(around) or not _may_ask(around, context)):
            return None
        if around and not is_weekday(around, context.language):
            return None
        return _numeric(found, context)
    return _with_month(_ORDINAL.sub("", text), context)


def _numeric(found: re.Match[str], context: DateContext) -> date | None:
    first, second, third = found[1], found[3] or found[5], found[6]
    if found[2] != found[4]:
        return None
    if len(first) == 4 and len(third) <= 2:
        return date(int(first), int(second), int(third))
    if len(first) > 2 or len(third) != 4:
        return None
    one, two, year = int(first), int(second), int(third)
    day_first = _order_shown(found[0])
    if day_first is None:
        day_first = context.day_first
        if found[2] in (".", ". "):
            # With full stops the day comes first in every country that writes them. If the feed or
            # its country says otherwise, one of the two is wrong.
            day_first = None if day_first is False else True
    if day_first is None and one == two:
        day_first = True
    if day_first is None:
        return None
    return date(year, two, one) if day_first else date(year, one, two)


def _with_month(text: str, context: DateContext) -> date | None:
    numbers = _NUMBER.findall(text)
    if len(numbers) != 2:
        return None
    year, day = sorted(numbers, key=len, reverse=True)
    if len(year) == 2 and _SHORT_YEAR.fullmatch(text):
        day, year = numbers
        year = f"{'20' if int(year) < _CENTURY_TURN else '19'}{year}"
    if len(year) != 4 or len(day) > 2:
        return None
    # The same words with always the same numbers: there are few of them, and so few questions.
    words = _NUMBER.sub(lambda n: "2026" if len(n[0]) == 4 or n[0] != day else "15", text)
    month = month_named(words, context.language) if _may_ask(words, context) else None
    return date(int(year), month, int(day)) if month else None


def _may_ask(words: str, context: DateContext) -> bool:
    if len(words.split()) > MAX_WORDS or not any(map(str.isalpha, words)):
        return False
    if len(context.words) < MAX_QUESTIONS:
        context.words.add(words)
    return words in context.words
