"""Tell whether an e-mail address can be written to, and when two spellings are one address."""

from __future__ import annotations

from contextlib import suppress

import idna
from email_validator import EmailNotValidError, validate_email

from subscribers.addresses import mistakes
from subscribers.addresses.pasted import mend

# RFC 5321, section 4.5.3.1: 64 octets, "@", 255 octets. The library checks each part exactly.
MAX_ADDRESS_LENGTH = 320
# With a name, a subject and what else was pasted with it.
_MAX_PASTED_LENGTH = 1_000


def _(sentence: str) -> str:
    """Mark a sentence for the catalogues (`make messages`)."""
    return sentence


class BadAddress(ValueError):
    """The address cannot be written to; the message is a sentence for the reader.

    The message is in English. The caller that shows it translates it: `gettext(str(error))`.

    Attributes:
        suggestion: the address that the reader may have meant ("gmial.com"), or "".
        may_insist: whether the same address is accepted once the reader confirms that it is right
            (Attempt.address_confirmed).
    """

    def __init__(self, message: str, *, suggestion: str = "", may_insist: bool = False) -> None:
        super().__init__(message)
        self.suggestion = suggestion
        self.may_insist = may_insist


def normalise(raw: str) -> str:
    """Return the address as it goes into the SMTP dialogue: in ASCII, with an IDNA domain.

    What was pasted with it is mended (addresses.pasted).
    Addresses whose local part is not ASCII (SMTPUTF8, RFC 6531) are refused: too few relays
    deliver them.

    Raises:
        BadAddress: with a sentence for the reader.
    """
    address = mend(raw[: _MAX_PASTED_LENGTH + 1])
    if not address:
        raise BadAddress(_("Write your e-mail address."))
    if len(address) > MAX_ADDRESS_LENGTH or len(raw) > _MAX_PASTED_LENGTH:
        raise BadAddress(_("That is too long for an e-mail address."))
    try:
        # `strict` limits the local part to 64 octets, as RFC 5321 does.
        valid = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        raise BadAddress(mistakes.explain(address)) from None
    if valid.ascii_email is None:
        raise BadAddress(mistakes.explain(address))
    return valid.ascii_email


def compare_key(address: str) -> str:
    """Return the key that is equal for all spellings of one address.

    Only case is ignored: RFC 5321 allows a server to distinguish Ann@ from ann@, but none does.
    Dots and tags (`ann+news@`) are kept: readers may want two subscriptions in one mailbox
    (addresses.mailbox). A domain is compared in its IDNA form, however it is written.
    """
    if address.isascii():
        return address.lower()
    local, at_sign, host = address.rpartition("@")
    with suppress(idna.IDNAError):
        host = idna.encode(host, uts46=True).decode()
    return f"{local.casefold()}{at_sign}{host.lower()}"


def domain(address: str) -> str:
    """Return the part after the last @-sign, in lower case."""
    return address.rpartition("@")[2].lower()


def masked(address: str) -> str:
    """Return only as much of the address as its owner needs to recognise it: a…@example.com."""
    local, at_sign, host = address.rpartition("@")
    return f"{local[:1]}…{at_sign}{host}"
