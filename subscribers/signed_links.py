"""Make and read the signed tokens of readers' links, each for one purpose.

Links that expire are signed by Django's Signer. Every digest has two links that do not, for
millions of readers: to unsubscribe and to the preferences. Their tokens are made by `hmac_signer`,
and are shorter than Django's.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.core.signing import BadSignature, Signer, b62_decode, b62_encode
from django.utils.crypto import constant_time_compare

from subscribers.addresses.address import compare_key
from subscribers.models import Subscription
from subscribers.plumbing.signing import hmac_signer

# Pages and mails say it in days.
CONFIRM_WITHIN = timedelta(days=3)
DATA_WITHIN = timedelta(days=1)
RESUBSCRIBE_WITHIN = timedelta(hours=1)
# 128 bits of HMAC-SHA256 in URL-safe base64 without padding.
SIGNATURE_LENGTH = 22
# A bigint of PostgreSQL in base 62.
_ID = re.compile(r"[0-9A-Za-z]{1,11}")
_LARGEST_ID = 2**63 - 1


class BadToken(Exception):
    """We did not make the link, or made it for another purpose."""


class ExpiredToken(Exception):
    """The link is ours, but has expired; a confirmation link belongs to `subscription_id`."""

    def __init__(self, *, subscription_id: int = 0) -> None:
        super().__init__(f"the link of subscription {subscription_id} has expired")
        self.subscription_id = subscription_id


@dataclass(frozen=True)
class ConfirmToken:
    """What a confirmation link says. Only the subscription's row tells whether it is the newest."""

    subscription_id: int
    generation: int


def confirm_token(subscription: Subscription, *, now: datetime | None = None) -> str:
    """Return a token that confirms this sign-up, for CONFIRM_WITHIN from `now`."""
    expires = (now or datetime.now(UTC)) + CONFIRM_WITHIN
    return _expiring("confirm", subscription.pk, subscription.generation, expires=expires)


def read_confirm(token: str, *, now: datetime) -> ConfirmToken:
    """Return what the token says.

    Raises:
        BadToken: it is not ours.
        ExpiredToken: it is older than CONFIRM_WITHIN.
    """
    (subscription_id, generation), has_expired = _read_expiring("confirm", token, now=now)
    if has_expired:
        raise ExpiredToken(subscription_id=subscription_id)
    return ConfirmToken(subscription_id=subscription_id, generation=generation)


def preferences_token(subscription: Subscription) -> str:
    """Return a token for the preferences page, valid as long as the reader has this address.

    After a change of address, whoever reads the former mailbox must not reach the reader's data
    through its old mails.
    """
    return preferences_token_factory()(subscription.pk, subscription.subscriber.email)


def preferences_token_factory() -> Callable[[int, str], str]:
    """Return a function that makes preferences tokens from a subscription's id and address.

    It is for thousands of tokens, and is bound to the SECRET_KEY of this moment.
    """
    sign = _signer("preferences", settings.SECRET_KEY)

    def token(subscription_id: int, address: str) -> str:
        value = _b62(subscription_id)
        return _encoded(sign(_mailbox(value, address).encode())) + value

    return token


@dataclass(frozen=True)
class PreferencesToken:
    """What a link to the preferences says. Only the reader's address can prove it."""

    subscription_id: int
    token: str

    def was_sent_to(self, address: str) -> bool:
        """Tell whether we made the token, for this subscription at this address."""
        value = self.token[SIGNATURE_LENGTH:]
        with suppress(BadToken):
            _check("preferences", self.token[:SIGNATURE_LENGTH], _mailbox(value, address))
            return True
        return False


def read_preferences(token: str) -> PreferencesToken:
    """Return what the token says, or raise BadToken if it says nothing."""
    value = token[SIGNATURE_LENGTH:]
    if not _ID.fullmatch(value) or (number := b62_decode(value)) > _LARGEST_ID:
        raise BadToken
    return PreferencesToken(subscription_id=number, token=token)


@dataclass(frozen=True)
class DataToken:
    """What a link to a reader's data says. It opens nothing once the reader has another address."""

    subscription_id: int
    address_code: int
    has_expired: bool

    def was_sent_to(self, address: str) -> bool:
        return self.address_code == _address_code(address)


def data_token(subscription: Subscription, *, now: datetime) -> str:
    """Return a token that opens the data of the subscription's reader, for DATA_WITHIN."""
    code = _address_code(subscription.subscriber.email)
    return _expiring("data", subscription.pk, code, expires=now + DATA_WITHIN)


def read_data(token: str, *, now: datetime) -> DataToken:
    """Return what the token says, or raise BadToken."""
    (subscription_id, code), has_expired = _read_expiring("data", token, now=now)
    return DataToken(subscription_id, code, has_expired)


def unsubscribe_token(subscription_id: int) -> str:
    """Return a token to unsubscribe; it never expires, since it must work from old mails.

    It is short because the header `List-Unsubscribe: <SITE_URL/u/TOKEN>` breaks if the URL is
    longer than 72 characters (Python's mail policy turns it into an encoded-word).
    """
    return unsubscribe_token_factory()(subscription_id)


def address_change_token(change_id: int, side: str, *, now: datetime) -> str:
    """Return a token by which the owner of the "old" or "new" address agrees."""
    return _expiring(f"address-{side}", change_id, expires=now + CONFIRM_WITHIN)


def read_address_change(token: str, *, now: datetime) -> tuple[int, str]:
    """Return the id of the change of address, and the side that the token is for.

    Raises:
        BadToken: it is not ours.
        ExpiredToken: it is older than CONFIRM_WITHIN.
    """
    for side in ("old", "new"):
        with suppress(BadToken):
            (change_id,), has_expired = _read_expiring(f"address-{side}", token, now=now)
            if has_expired:
                raise ExpiredToken
            return change_id, side
    raise BadToken


def resubscribe_token(subscription: Subscription, *, now: datetime) -> str:
    """Return a token by which a reader who has just left can come back, for an hour."""
    expires = now + RESUBSCRIBE_WITHIN
    return _expiring("return", subscription.pk, subscription.generation, expires=expires)


def read_resubscribe(token: str, *, now: datetime) -> ConfirmToken:
    """Return what the token says.

    Raises:
        BadToken: it is not ours, or older than an hour.
    """
    (subscription_id, generation), has_expired = _read_expiring("return", token, now=now)
    if has_expired:
        raise BadToken
    return ConfirmToken(subscription_id=subscription_id, generation=generation)


def unsubscribe_token_factory() -> Callable[[int], str]:
    """Return a function that makes unsubscribe tokens from subscriptions' ids.

    It is for thousands of tokens, and is bound to the SECRET_KEY of this moment.
    """
    sign = _signer("unsubscribe", settings.SECRET_KEY)

    def token(subscription_id: int) -> str:
        value = _b62(subscription_id)
        return _encoded(sign(value.encode())) + value

    return token


def read_unsubscribe(token: str) -> int:
    """Return the subscription's id, or raise BadToken."""
    signature, value = token[:SIGNATURE_LENGTH], token[SIGNATURE_LENGTH:]
    _check("unsubscribe", signature, value)
    return b62_decode(value)


# Each reader of an edition needs two tokens, one to unsubscribe and one for the preferences. The
# cache encodes their id once for both.
_b62 = lru_cache(maxsize=1)(b62_encode)


def _expiring(purpose: str, *numbers: int, expires: datetime) -> str:
    return _django_signer(purpose).sign_object([*numbers, int(expires.timestamp())])


def _read_expiring(purpose: str, token: str, *, now: datetime) -> tuple[list[int], bool]:
    """Return the numbers that a token was made from, and whether it has expired."""
    try:
        *numbers, expires = _django_signer(purpose).unsign_object(token)
    except (BadSignature, UnicodeError):  # UnicodeError: text that no bytes stand for
        raise BadToken from None
    return numbers, now.timestamp() > expires


def _django_signer(purpose: str) -> Signer:
    return Signer(sep=".", salt=_salt(purpose))


def _check(purpose: str, signature: str, value: str) -> None:
    with suppress(UnicodeError):
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            if constant_time_compare(signature, _signature(purpose, value, key)):
                return
    raise BadToken


def _mailbox(value: str, address: str) -> str:
    """Join the value and the mailbox that it is for, by a space, which no address has."""
    return f"{value} {compare_key(address)}"


def _address_code(address: str) -> int:
    """Return a number that differs between addresses; the token's signature protects it."""
    return int.from_bytes(hashlib.sha256(compare_key(address).encode()).digest()[:6])


def _signature(purpose: str, value: str, key: str | bytes) -> str:
    return _encoded(_signer(purpose, key)(value.encode()))


def _signer(purpose: str, key: str | bytes) -> Callable[[bytes], bytes]:
    return hmac_signer(_salt(purpose), key)


def _salt(purpose: str) -> str:
    # It is no module's name and must not change: the links in all old mails depend on it.
    return f"subscribers.tokens.{purpose}"


def _encoded(mac: bytes) -> str:
    # A token begins with it and ends in a letter or digit: mail clients that turn bare URLs into
    # links leave off a last `-` or `_`.
    # 16 bytes are 22 characters and "==".
    return urlsafe_b64encode(mac[:16])[:SIGNATURE_LENGTH].decode()
