"""Sign the time at which a form was shown, because a program sends a form back immediately."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import b62_decode, b62_encode
from django.utils.crypto import constant_time_compare

from subscribers.plumbing.signing import hmac_signer

# A tab that stays open overnight is still a person's. An older token proves nothing.
MAX_AGE = timedelta(hours=24)
_SIGNATURE_LENGTH = 16  # hexadecimal digits: 64 bits are enough for a day
# It is part of each signature: with another salt, the tokens of open forms would count as forged.
_SALT = "subscribers.abuse.opened"


class FormAge(enum.Enum):
    """What a form token says about the time since its form was shown."""

    LONG_ENOUGH = enum.auto()
    TOO_QUICK = enum.auto()  # sent back immediately, or forged
    UNKNOWN = enum.auto()  # no token, or one that is older than MAX_AGE


def new_form_token(now: datetime) -> str:
    """Return the form token for the hidden field of a form that is shown now."""
    value = b62_encode(_milliseconds(now))
    return _signature(value, settings.SECRET_KEY) + value


def read_form_token(token: str, *, now: datetime) -> FormAge:
    """Verify a form token, and tell how long ago its form was shown."""
    if not token:
        return FormAge.UNKNOWN
    signature, value = token[:_SIGNATURE_LENGTH], token[_SIGNATURE_LENGTH:]
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    if not any(constant_time_compare(signature, _signature(value, key)) for key in keys):
        return FormAge.TOO_QUICK
    age = timedelta(milliseconds=_milliseconds(now) - b62_decode(value))
    if age > MAX_AGE:
        return FormAge.UNKNOWN
    shortest = timedelta(seconds=settings.SIGNUP_MIN_SECONDS)
    return FormAge.LONG_ENOUGH if age >= shortest else FormAge.TOO_QUICK


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _signature(value: str, key: str | bytes) -> str:
    mac = hmac_signer(_SALT, key)(value.encode(errors="replace"))
    return mac.hex()[:_SIGNATURE_LENGTH]
