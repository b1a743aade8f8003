"""Mark a message so that whatever comes back is known to be ours, and whose it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import constant_time_compare

from digest.models import Edition
from subscribers.signatures import signing

_MAC_LENGTH = 16  # hexadecimal digits: 64 bits, and few enough for a local part of at most 64
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_VERP_USER = "bounces"


class NotOurs(ValueError):
    """An address that no message of ours was sent from."""


def verp_sender(edition_id: int, subscription_id: int) -> str:
    """The envelope sender of one reader's copy, so that a bounce names edition and reader.

    Lower case only: some servers fold the case of a local part. The part after "+" is a detail
    (RFC 5233), so one mailbox can receive them all.
    """
    return verp_senders(edition_id)(subscription_id)


def verp_senders(edition_id: int) -> Callable[[int], str]:
    """Return what makes `verp_sender`s from subscriptions' ids, bound to the present settings."""
    code, domain = _codes("digest.verp", edition_id), settings.MAIL_DOMAIN
    return lambda subscription_id: f"{_VERP_USER}+{code(subscription_id)}@{domain}"


def read_verp(address: str) -> tuple[int, int]:
    """Return the edition's and the subscription's id.

    Raises:
        NotOurs: when the address is of another shape or its signature is wrong.
    """
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    user, _, code = local.partition("+")
    try:
        edition, subscription, _mac = code.split("-")
        edition_id, subscription_id = int(edition, 36), int(subscription, 36)
    except ValueError:
        raise NotOurs(address) from None
    if (user, domain) != (_VERP_USER, settings.MAIL_DOMAIN.lower()) or not constant_time_compare(
        code, _codes("digest.verp", edition_id)(subscription_id)
    ):
        raise NotOurs(address)
    return edition_id, subscription_id


def message_id(*, edition_id: int, subscription_id: int, copy: str = "") -> str:
    """The same each time one reader's message is made, so that a repeat is known as one.

    `copy` tells apart messages that are not repeats, such as tests of one draft.
    """
    return message_ids(edition_id, copy=copy)(subscription_id)


def message_ids(edition_id: int, *, copy: str = "") -> Callable[[int], str]:
    """Return what makes `message_id`s from subscriptions' ids, bound to the present settings."""
    code, domain = _codes(f"digest.message-id{copy}", edition_id), settings.MAIL_DOMAIN
    return lambda subscription_id: f"<{code(subscription_id)}@{domain}>"


def feedback_id(edition: Edition) -> str:
    """What Gmail's Postmaster Tools groups complaints by: campaign, customer, kind, sender."""
    return f"{edition.pk}:{edition.newsletter.slug}:digest:daybreak"


def list_id(edition: Edition) -> str:
    """The newsletter's name for filters (RFC 2919), ASCII whatever the newsletter is called."""
    return f"<{edition.newsletter.slug}.{settings.MAIL_DOMAIN}>"


def _codes(salt: str, edition_id: int) -> Callable[[int], str]:
    sign, edition = signing(salt, settings.SECRET_KEY), _base36(edition_id)

    def code(subscription_id: int) -> str:
        value = f"{edition}-{_base36(subscription_id)}"
        return f"{value}-{sign(value.encode()).hex()[:_MAC_LENGTH]}"

    return code


@lru_cache(maxsize=1)  # each reader is asked for twice: a Message-ID, an envelope sender
def _base36(number: int) -> str:
    digits = ""
    while number:
        number, pair = divmod(number, 36 * 36)
        digits = _PAIRS[pair] + digits
    return digits.lstrip("0") or "0"
