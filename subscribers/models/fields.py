"""What several models have in common."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime

from django.core.exceptions import ValidationError

from subscribers.plumbing.characters import NOT_IN_A_LINE, is_bidi_control


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


_NOT_IN_A_LINE = re.compile(f"[{NOT_IN_A_LINE}]")


def one_line(value: str) -> None:
    """Refuse line breaks, control characters, and controls of the writing direction."""
    found = _NOT_IN_A_LINE.search(value)
    if found and is_bidi_control(found[0]):
        message = "Leave out the invisible characters that turn the writing direction around."
        raise ValidationError(message, code="invalid")
    if found:
        raise ValidationError("Write this on one line.", code="invalid")
