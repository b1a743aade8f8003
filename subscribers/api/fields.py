"""The types of the API's fields, with constraints that also appear in the OpenAPI description."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime
from enum import Enum
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from django.conf import settings
from ninja import Field, Header, Path, Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StringConstraints,
)

from subscribers.models.fields import EARLIEST_TIME, LATEST_TIME, is_storable_time
from subscribers.plumbing.characters import NOT_IN_A_LINE

_LINE = f"^[^{NOT_IN_A_LINE}]*$"
_TEXT = r"^[^\x00]*$"
_SLUG = r"^[-a-zA-Z0-9_]+$"
_URL = (
    r"^https?://[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*(:[1-9][0-9]{0,3})?(/[!#-;=?-~]*)?$"
)


def _network_address(value: str) -> str:
    if "%" in value:
        # PostgreSQL cannot store it, and it has a meaning on the reader's own machine alone.
        raise ValueError("An address has no zone id")
    return str(ip_address(value))


NetworkAddress = Annotated[
    str,
    StringConstraints(max_length=45),
    AfterValidator(_network_address),
    Field(json_schema_extra={"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]


def _only_number(value: Any) -> Any:
    """Refuse "7" and true: pydantic takes them for numbers, the description does not allow them."""
    if isinstance(value, (str, bool)):
        raise ValueError("Input should be a number")
    return value


def _only_text(value: Any) -> Any:
    """Refuse a number: pydantic would take it for the seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("Input should be a string in ISO 8601 format")
    return value


def _readable_time(value: datetime) -> datetime:
    """Refuse what the database would store and nothing could read again."""
    if not is_storable_time(value):
        raise ValueError(
            f"The year must be from {EARLIEST_TIME.year} to {LATEST_TIME.year - 1} in UTC"
        )
    return value


# This must stand behind the constraints; otherwise pydantic leaves them out of the description.
NUMBER = BeforeValidator(_only_number)
YesNo = StrictBool
LARGEST_ID = 2**63 - 1

SLUG: Any = Path(..., pattern=_SLUG, max_length=40, description="The newsletter's slug.")  # type: ignore[type-arg]
IDEMPOTENCY_KEY: Any = Header(  # type: ignore[type-arg]
    None,
    alias="Idempotency-Key",
    min_length=1,
    max_length=255,
    pattern=r"^[!-~]+$",
    description="A key of your own for this request. If the request is sent again with the same "
    "key within 24 hours, it is carried out only once, and the first answer is repeated.",
)


class Input(Schema):
    """A request body. It refuses unknown fields, so that no misspelt name goes unnoticed."""

    model_config = ConfigDict(extra="forbid")


def example(**values: Any) -> ConfigDict:
    """Return the model_config of an Input, with the example that its page shows first."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


def single_line(max_length: int, *, min_length: int = 0) -> StringConstraints:
    """A string on one line: Annotated[str, single_line(80)]."""
    return StringConstraints(min_length=min_length, max_length=max_length, pattern=_LINE)


def text(max_length: int) -> StringConstraints:
    """A string of many lines."""
    return StringConstraints(max_length=max_length, pattern=_TEXT)


def url(max_length: int) -> StringConstraints:
    """An absolute http(s) URL (RFC 3986); characters outside ASCII must be encoded."""
    return StringConstraints(max_length=max_length, pattern=_URL)


# HH:MM. JSON Schema's own format of a time wants an offset, which a preferred hour does not have.
LocalTime = Annotated[
    str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), Field(examples=["07:30"])
]
SlugText = Annotated[str, StringConstraints(pattern=_SLUG, max_length=40)]
# The values of the models (a test compares them), repeated so that the description lists them in
# place.
SubscriptionStatus = Literal["pending", "active", "unsubscribed"]
Frequency = Literal["daily", "weekdays", "weekly"]
EndReason = Literal["too-many", "not-for-me", "never-asked", "elsewhere", "other"]
SuppressionReason = Literal["bounce", "complaint", "manual", "import", "erased"]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), NUMBER]
Timestamp = Annotated[
    AwareDatetime,
    AfterValidator(_readable_time),
    BeforeValidator(_only_text),
    Field(json_schema_extra={"pattern": "^[1-8][0-9]{3}-"}),
]
Day = Annotated[date, BeforeValidator(_only_text)]
Language = Enum("Language", {code: code for code, _ in settings.LANGUAGES}, type=str)  # type: ignore[misc]
TimeZone = Enum(  # type: ignore[misc]
    "TimeZone", {name: name for name in sorted(zoneinfo.available_timezones())}, type=str
)
