"""Give each message identifiers that lead back to its edition and its reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import constant_time_compare

from digest.models import Edition
from subscribers.plumbing.signing import hmac_signer

_MAC_LENGTH = 16  # hexadecimal digits: 64 bits, and short enough for a local part of at most 64
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_VERP_USER = "bounces"


class InvalidVerp(ValueError):
    """The address is no envelope sender that Daybreak has made."""


def verp_sender(edition_id: int, subscription_id: int) -> str:
    """Return the envelope sender (VERP) of one reader's copy: a bounce names edition and reader.

    It is in lower case only, because some servers change the case of a local part. The part after
    "+" is a detail (RFC 5233), so one mailbox can receive all bounces.
    """
    return verp_sender_factory(edition_id)(subscription_id)


def verp_sender_factory(edition_id: int) -> Callable[[int], str]:
    """Return a function from subscription id to `verp_sender`, bound to the present settings."""
    code, domain = _code_factory("digest.verp", edition_id), settings.MAIL_DOMAIN
    return lambda subscription_id: f"{_VERP_USER}+{code(subscription_id)}@{domain}"


def parse_verp(address: str) -> tuple[int, int]:
    """Return the edition's and the subscription's id.

    Raises:
        InvalidVerp: the address has another form, or its signature is wrong.
    """
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    user, _, code = local.partition("+")
    try:
        edition, subscription, _mac = code.split("-")
        edition_id, subscription_id = int(edition, 36), int(subscription, 36)
    except ValueError:
        raise InvalidVerp(address) from None
    if (user, domain) != (_VERP_USER, settings.MAIL_DOMAIN.lower()) or not code.isascii():
        raise InvalidVerp(address)
    # Bounces come days later, after the key may have been replaced.
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        expected = _code_factory("digest.verp", edition_id, key)(subscription_id)
        if constant_time_compare(code, expected):
            return edition_id, subscription_id
    raise InvalidVerp(address)


def message_id(*, edition_id: int, subscription_id: int, variant: str = "") -> str:
    """Return the Message-ID of one reader's message, so that a repeat is recognised as one.

    It is the same each time the message is made. Messages that are not repeats, such as tests of
    one draft, differ in `variant`.
    """
    return message_id_factory(edition_id, variant=variant)(subscription_id)


def message_id_factory(edition_id: int, *, variant: str = "") -> Callable[[int], str]:
    """Return a function from subscription id to `message_id`, bound to the present settings."""
    code, domain = _code_factory(f"digest.message-id{variant}", edition_id), settings.MAIL_DOMAIN
    return lambda subscription_id: f"<{code(subscription_id)}@{domain}>"


def feedback_id(edition: Edition) -> str:
    """Return the Feedback-ID: campaign, customer, kind, sender.

    Gmail's Postmaster Tools groups complaints by each of these four.
    """
    return f"{edition.pk}:{edition.newsletter.slug}:digest:daybreak"


def list_id(edition: Edition) -> str:
    """Return the List-Id for mail filters (RFC 2919), ASCII whatever the newsletter's name is."""
    return f"<{edition.newsletter.slug}.{settings.MAIL_DOMAIN}>"


def _code_factory(
    salt: str, edition_id: int, key: str | bytes | None = None
) -> Callable[[int], str]:
    sign, edition = hmac_signer(salt, key or settings.SECRET_KEY), _base36(edition_id)

    def code(subscription_id: int) -> str:
        value = f"{edition}-{_base36(subscription_id)}"
        return f"{value}-{sign(value.encode()).hex()[:_MAC_LENGTH]}"

    return code


@lru_cache(maxsize=1)  # each id is needed twice: Message-ID, envelope sender
def _base36(number: int) -> str:
    digits = ""
    while number:
        number, pair = divmod(number, 36 * 36)
        digits = _PAIRS[pair] + digits
    return digits.lstrip("0") or "0"
