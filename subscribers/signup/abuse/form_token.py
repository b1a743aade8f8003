"""Sign the time at which a form was shown, because a program sends a form back immediately."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer, b62_decode, b62_encode

# Programs send a form back in less time. People need longer, even with autofill.
MIN_SECONDS = 2.0
# A tab that stays open overnight is still a person's. An older token proves nothing.
MAX_AGE = timedelta(hours=24)
# It is part of each signature: with another salt, the tokens of open forms would count as forged.
_SALT = "subscribers.abuse.opened"


class FormAge(enum.Enum):
    """What a form token says about the time since its form was shown."""

    LONG_ENOUGH = enum.auto()
    TOO_QUICK = enum.auto()  # sent back immediately, or forged
    UNKNOWN = enum.auto()  # no token, or one that is older than MAX_AGE


def new_form_token(now: datetime) -> str:
    """Return the form token for the hidden field of a form that is shown now."""
    return Signer(salt=_SALT).sign(b62_encode(_milliseconds(now)))


def accepted_form_token(now: datetime) -> str:
    """Return a form token that is old enough already: the form is not sent back a second time."""
    return new_form_token(now - timedelta(seconds=MIN_SECONDS))


def read_form_token(token: str, *, now: datetime) -> FormAge:
    """Verify a form token, and tell how long ago its form was shown."""
    if not token:
        return FormAge.UNKNOWN
    try:
        value = Signer(salt=_SALT).unsign(token)
    except (BadSignature, UnicodeError):  # UnicodeError: text that no bytes stand for
        return FormAge.TOO_QUICK
    age = timedelta(milliseconds=_milliseconds(now) - b62_decode(value))
    if age > MAX_AGE:
        return FormAge.UNKNOWN
    shortest = timedelta(seconds=MIN_SECONDS)
    return FormAge.LONG_ENOUGH if age >= shortest else FormAge.TOO_QUICK


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
