"""Make and read the signed links that stand for a reader, one purpose each."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.core.signing import b62_decode, b62_encode
from django.utils.crypto import constant_time_compare

from subscribers.models import Subscription
from subscribers.signatures import signing

CONFIRM_WITHIN = timedelta(hours=72)
RETURN_WITHIN = timedelta(hours=1)
# 128 bits of HMAC-SHA256 in URL-safe base64 without padding.
SIGNATURE_LENGTH = 22


class BadToken(Exception):
    """A link that we did not make, or made for another purpose."""


class ExpiredToken(Exception):
    """A link that was ours and valid; one to confirm is of `subscription_id`."""

    def __init__(self, *, subscription_id: int = 0) -> None:
        super().__init__(f"the link of subscription {subscription_id} has expired")
        self.subscription_id = subscription_id


@dataclass(frozen=True)
class ConfirmToken:
    """What a confirmation link says; whether it is the subscription's newest, its row knows."""

    subscription_id: int
    generation: int


def confirm_token(subscription: Subscription, *, now: datetime | None = None) -> str:
    """Return a token that confirms this sign-up within 72 hours of `now`."""
    expires = int(((now or datetime.now(UTC)) + CONFIRM_WITHIN).timestamp())
    numbers = (subscription.pk, subscription.generation, expires)
    return _sign("confirm", ".".join(map(b62_encode, numbers)))


def read_confirm(token: str, *, now: datetime) -> ConfirmToken:
    """Return what the token says.

    Raises:
        BadToken: it is not ours.
        ExpiredToken: it is older than 72 hours.
    """
    numbers = _verify("confirm", token).split(".")
    subscription_id, generation, expires = map(b62_decode, numbers)
    if now.timestamp() > expires:
        raise ExpiredToken(subscription_id=subscription_id)
    return ConfirmToken(subscription_id=subscription_id, generation=generation)


def preferences_token(subscription_id: int) -> str:
    """Return a token for the preferences page; it never expires."""
    return endless_tokens("preferences")(subscription_id)


def read_preferences(token: str) -> int:
    """Return the subscription's id, or raise BadToken."""
    return b62_decode(_verify("preferences", token))


def unsubscribe_token(subscription_id: int) -> str:
    """Return a token for leaving; it never expires, since old mail must let its reader go.

    It is short because the header `List-Unsubscribe: <SITE_URL/u/TOKEN>` breaks where the URL is
    longer than 72 characters (Python's mail policy turns it into an encoded-word).
    """
    return endless_tokens("unsubscribe")(subscription_id)


def change_token(change_id: int, side: str, *, now: datetime) -> str:
    """Return a token with which the holder of one `side` ("old", "new") agrees, for 72 hours."""
    expires = int((now + CONFIRM_WITHIN).timestamp())
    return _sign(f"address-{side}", ".".join(map(b62_encode, (change_id, expires))))


def read_change(token: str, *, now: datetime) -> tuple[int, str]:
    """Return the id of the change of address, and which side the token speaks for.

    Raises:
        BadToken: it is not ours.
        ExpiredToken: it is older than 72 hours.
    """
    for side in ("old", "new"):
        with suppress(BadToken):
            change_id, expires = map(b62_decode, _verify(f"address-{side}", token).split("."))
            if now.timestamp() > expires:
                raise ExpiredToken
            return change_id, side
    raise BadToken


def return_token(subscription: Subscription, *, now: datetime) -> str:
    """Return a token with which a reader who just left takes that back, for an hour."""
    expires = int((now + RETURN_WITHIN).timestamp())
    numbers = (subscription.pk, subscription.generation, expires)
    return _sign("return", ".".join(map(b62_encode, numbers)))


def read_return(token: str, *, now: datetime) -> ConfirmToken:
    """Return what the token says.

    Raises:
        BadToken: it is not ours, or older than an hour.
    """
    numbers = _verify("return", token).split(".")
    subscription_id, generation, expires = map(b62_decode, numbers)
    if now.timestamp() > expires:
        raise BadToken
    return ConfirmToken(subscription_id=subscription_id, generation=generation)


def endless_tokens(purpose: str) -> Callable[[int], str]:
    """Return what makes tokens of a purpose from subscriptions' ids: for thousands of them.

    It is bound to the SECRET_KEY of this moment.
    """
    sign = _signing(purpose, settings.SECRET_KEY)

    def token(subscription_id: int) -> str:
        value = _b62(subscription_id)
        return _printed(sign(value.encode())) + value

    return token


def read_unsubscribe(token: str) -> int:
    """Return the subscription's id, or raise BadToken."""
    return b62_decode(_verify("unsubscribe", token))


# Each reader of an edition is asked for twice: a link to leave, one to the preferences.
_b62 = lru_cache(maxsize=1)(b62_encode)


def _sign(purpose: str, value: str) -> str:
    """The signature stands in front, so that a link ends in a letter or digit.

    Mail clients that make links of bare URLs leave off a last `-` or `_`.
    """
    return _signature(purpose, value, settings.SECRET_KEY) + value


def _verify(purpose: str, token: str) -> str:
    signature, value = token[:SIGNATURE_LENGTH], token[SIGNATURE_LENGTH:]
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        if constant_time_compare(signature, _signature(purpose, value, key)):
            return value
    raise BadToken


def _signature(purpose: str, value: str, key: str | bytes) -> str:
    return _printed(_signing(purpose, key)(value.encode()))


def _signing(purpose: str, key: str | bytes) -> Callable[[bytes], bytes]:
    return signing(f"subscribers.tokens.{purpose}", key)


def _printed(mac: bytes) -> str:
    # 16 bytes are 22 characters and "==".
    return urlsafe_b64encode(mac[:16])[:SIGNATURE_LENGTH].decode()
