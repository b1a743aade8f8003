"""Write a message's envelope and content as SMTP commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# The search takes 13 µs for 45 KB; a search for these bytes with "in" takes 34 µs.
_DOT_AT_START = re.compile(rb"\r\n\.")


class UnsupportedAddress(Exception):
    """This address cannot be sent to this server; other readers' addresses can."""


@dataclass(frozen=True)
class Dialect:
    """The extensions in the server's EHLO that change a message's MAIL and RCPT commands."""

    size: bool
    smtputf8: bool

    def envelope(self, sender: str, recipient: str, length: int) -> tuple[bytes, bytes]:
        """Return the MAIL and RCPT commands, each with its line end.

        Raises:
            UnsupportedAddress
        """
        address = recipient if recipient.isascii() else _ascii_domain(recipient)
        if _CONTROL.search(address) or _CONTROL.search(sender):
            raise UnsupportedAddress("the address has a control character")
        options = f" SIZE={length}" if self.size else ""
        if not address.isascii():
            if not self.smtputf8:
                raise UnsupportedAddress("the relay does not offer SMTPUTF8")
            options += " SMTPUTF8"
        try:
            return (
                f"MAIL FROM:<{sender}>{options}\r\n".encode(),
                f"RCPT TO:<{address}>\r\n".encode(),
            )
        except UnicodeEncodeError as error:  # half a surrogate pair
            raise UnsupportedAddress("the address is not valid Unicode text") from error


def dot_stuffed(message: bytes, *, dotless: bool = False) -> tuple[bytes, bytes]:
    """Return what follows a 354: the message with leading dots doubled, and its end.

    RFC 5321, section 4.5.2, doubles a dot at the start of a line.
    """
    if not dotless and _DOT_AT_START.search(message):
        message = message.replace(b"\r\n.", b"\r\n..")
    if message.startswith(b"."):
        message = b"." + message
    return message, b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n"


def _ascii_domain(address: str) -> str:
    """Return the address with its domain in ASCII, which relays without SMTPUTF8 need."""
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return found.ascii_email or f"{found.local_part}@{found.ascii_domain}"
