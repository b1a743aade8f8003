"""Explain to a reader what is wrong with an address that cannot be written to."""

from __future__ import annotations

import re
from collections.abc import Callable

from email_validator import SPECIAL_USE_DOMAIN_NAMES

# RFC 5321, section 4.5.3.1.
_LONGEST_LOCAL_PART = 64
_LONGEST_DOMAIN = 253


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues (`make messages`); the caller translates it."""
    return sentence


_OTHER_MISTAKE = _("We cannot write to this address. Please check how it is spelled.")
_AT_SIGN_MISSING = _("An e-mail address has an @-sign in it, like ann@example.com.")
_AT_SIGN_TWICE = _("An e-mail address has only one @-sign. Write one address only.")
_SPACE = _("An e-mail address has no spaces in it.")
_NOTHING_BEFORE = _("Something is missing before the @-sign.")
_NOTHING_AFTER = _("Something is missing after the @-sign.")
_LONG_BEFORE = _("The part before the @-sign is too long.")
_LONG_AFTER = _("The part after the @-sign is too long.")
_TWO_DOTS = _("An e-mail address never has two dots in a row.")
_DOT_AT_THE_EDGE = _("A dot cannot stand at the beginning, at the end or right beside the @-sign.")
_CHARACTER_BEFORE = _("Before the @-sign there is a character that we cannot write to.")
_CHARACTER_AFTER = _("After the @-sign there is a character that cannot stand there.")
_NO_ENDING = _("The part after the @-sign is not complete. It ends in something like .com or .org.")
_NO_MAIL_THERE = _("No mail can be sent to what stands after the @-sign.")

_BAD_BEFORE = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]")
# Letters of any script are allowed, since domains have them.
_BAD_AFTER = re.compile(r"[^\w.-]|_")
_ENDING = re.compile(r"\.[^\W\d_][\w-]*$")

# The first rule that holds gives the sentence. So a plain mistake stands before its consequences.
_RULES: tuple[tuple[Callable[[str, str], object], str], ...] = (
    (lambda before, after: "@" in before, _AT_SIGN_TWICE),
    (lambda before, after: re.search(r"\s", before + after), _SPACE),
    (lambda before, after: not before, _NOTHING_BEFORE),
    (lambda before, after: not after, _NOTHING_AFTER),
    (lambda before, after: ".." in before or ".." in after, _TWO_DOTS),
    (
        lambda before, after: any(part.strip(".") != part for part in (before, after)),
        _DOT_AT_THE_EDGE,
    ),
    (lambda before, after: _BAD_BEFORE.search(before), _CHARACTER_BEFORE),
    (lambda before, after: len(before) > _LONGEST_LOCAL_PART, _LONG_BEFORE),
    (lambda before, after: _BAD_AFTER.search(after), _CHARACTER_AFTER),
    (lambda before, after: len(after) > _LONGEST_DOMAIN, _LONG_AFTER),
    (lambda before, after: _is_no_mail_domain(after), _NO_MAIL_THERE),
    (lambda before, after: not _ENDING.search(after), _NO_ENDING),
)


def explain(address: str) -> str:
    """Return one English sentence about a refused address; the catalogues translate it."""
    before, at_sign, after = address.rpartition("@")
    if not at_sign:
        return _AT_SIGN_MISSING
    return next((sentence for holds, sentence in _RULES if holds(before, after)), _OTHER_MISTAKE)


def _is_no_mail_domain(domain: str) -> bool:
    name = domain.lower()
    return any(
        name == reserved or name.endswith(f".{reserved}") for reserved in SPECIAL_USE_DOMAIN_NAMES
    )
