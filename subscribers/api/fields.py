"""What may stand in the API's fields, said in such a way that the description says it too."""

from __future__ import annotations

import zoneinfo
from enum import Enum
from typing import Annotated, Any, Literal

from django.conf import settings
from ninja import Field, Header, Path, Schema
from pydantic import AwareDatetime, ConfigDict, StringConstraints

_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
_TEXT = r"^[^\x00]*$"
_SLUG = r"^[-a-zA-Z0-9_]+$"
_URL = (
    r"^https?://[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*(:[1-9][0-9]{0,3})?(/[!#-;=?-~]*)?$"
)
LARGEST_ID = 2**63 - 1

SLUG: Any = Path(..., pattern=_SLUG, max_length=40, description="The newsletter's slug.")  # type: ignore[type-arg]
IDEMPOTENCY_KEY: Any = Header(  # type: ignore[type-arg]
    None,
    alias="Idempotency-Key",
    min_length=1,
    max_length=255,
    pattern=r"^[!-~]+$",
    description="A key of your own for this request. Sent again with the same key within 24 hours "
    "it is done once, and the first answer is repeated.",
)


class Input(Schema):
    """A body; what it has no name for is refused, so that no slip of the pen is overlooked."""

    model_config = ConfigDict(extra="forbid")


def line(most: int, *, least: int = 0) -> StringConstraints:
    """A string on one line: Annotated[str, line(80)]."""
    return StringConstraints(min_length=least, max_length=most, pattern=_LINE)


def text(most: int) -> StringConstraints:
    """A string of many lines."""
    return StringConstraints(max_length=most, pattern=_TEXT)


def url(most: int) -> StringConstraints:
    """An absolute http(s) URL as RFC 3986 has it, with what is not ASCII encoded."""
    return StringConstraints(max_length=most, pattern=_URL)


SlugText = Annotated[str, StringConstraints(pattern=_SLUG, max_length=40)]
# As the models have them (a test compares): the description then says them where they stand.
SubscriptionStatus = Literal["pending", "active", "unsubscribed"]
Frequency = Literal["daily", "weekdays", "weekly"]
EndReason = Literal["too-many", "not-for-me", "never-asked", "elsewhere", "other"]
SuppressedFor = Literal["bounce", "complaint", "manual", "import", "erased"]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Moment = AwareDatetime
Language = Enum("Language", {code: code for code, _ in settings.LANGUAGES}, type=str)  # type: ignore[misc]
TimeZone = Enum(  # type: ignore[misc]
    "TimeZone", {name: name for name in sorted(zoneinfo.available_timezones())}, type=str
)
