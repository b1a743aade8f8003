"""What several models have in common."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime

from django.core.exceptions import ValidationError


class IllegalMove(Exception):
    """A state change that the model's MOVES table does not allow."""


def validate_timezone(value: str) -> None:
    """Refuse a name that the IANA time zone database does not know."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(
            "“%(value)s” is not a time zone; write it like Europe/London.",
            params={"value": value},
        )


# PostgreSQL stores years before 1 and after 9999, and Python then reads none of the rows that come
# with one. These are so far from both that no time zone and no span of ours leads there.
EARLIEST_TIME = datetime(1000, 1, 1, tzinfo=UTC)
LATEST_TIME = datetime(9000, 1, 1, tzinfo=UTC)


def is_storable_time(value: datetime) -> bool:
    """Whether an aware time stays readable, whatever its zone is and what is computed from it."""
    return EARLIEST_TIME <= value < LATEST_TIME


def validate_time(value: datetime) -> None:
    """Refuse a time that could be stored and not be read again."""
    if not is_storable_time(value):
        raise ValidationError("Give a year from 1000 to 8999.")


# Embeddings, overrides and isolates of the writing direction (UAX #9) act on what stands around the
# text: with U+202E in it a sender's name reads backwards. The marks of Arabic, Hebrew and Persian
# (U+200C-200F, U+061C) act on their own text alone, and are no controls.
BIDI_CONTROLS = r"\u202a-\u202e\u2066-\u2069"
# What may not stand in a line, as a part of a regular expression's class. A name goes into mail
# headers. With a line break in it, its writer could add any header.
NOT_IN_A_LINE = rf"\x00-\x1f\x7f-\x9f\u2028\u2029{BIDI_CONTROLS}"
_BIDI = re.compile(f"[{BIDI_CONTROLS}]")
_NOT_IN_A_LINE = re.compile(f"[{NOT_IN_A_LINE}]")


def one_line(value: str) -> None:
    """Refuse line breaks, control characters, and controls of the writing direction."""
    found = _NOT_IN_A_LINE.search(value)
    if found and _BIDI.match(found[0]):
        message = "Leave out the invisible characters that turn the writing direction around."
        raise ValidationError(message, code="invalid")
    if found:
        raise ValidationError("Write this on one line.", code="invalid")


def without_bidi_controls(text: str) -> str:
    return text if text.isprintable() else _BIDI.sub("", text)
