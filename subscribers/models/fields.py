"""What several models have in common."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator


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


# A name goes into mail headers. With a line break in it, its writer could add any header.
one_line = RegexValidator(r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", "Write this on one line.")
