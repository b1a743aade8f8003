"""What several models have in common."""

from __future__ import annotations

import zoneinfo

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


# A name goes into mail headers. With a line break in it, its writer could add any header.
one_line = RegexValidator(r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", "Write this on one line.")
