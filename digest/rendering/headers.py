"""Write header lines by hand from validated values (RFC 5322, RFC 2047)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from email.header import Header
from email.utils import quote
from string import ascii_letters, digits

from subscribers.plumbing.characters import NOT_IN_A_LINE

# At some of these characters mail programs see the end of a header; the others do harm, too.
_CONTROLS = re.compile(f"[{NOT_IN_A_LINE}]")
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")
# One "@" and nothing that needs quoting, which is what subscribers.addresses.address accepts.
_ADDRESS = re.compile(r"[^\s<>()\[\]\\,;:@\"]+@[^\s<>()\[\]\\,;:@\"]+")
# What most readers have: an address, alone or after a name in English letters. Neither is encoded.
_PLAIN_MAILBOX = re.compile(
    r"(?:(?! )[A-Za-z0-9 '-]+(?<! ) <[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>"
    r"|[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)"
)
_MAX_LINE = 76
# Q-encoding (RFC 2047, section 4.2). Letters, digits and what a phrase need not escape stay as they
# are.
_Q = {byte: f"={byte:02X}" for byte in range(256)}
_Q |= {ord(char): char for char in f"{ascii_letters}{digits}-!*+/"} | {ord(" "): "_"}


class UnsafeHeader(ValueError):
    """A value that may not stand in a mail header; the message names the header."""


def ascii_line(name: str, value: str) -> str:
    """Return `Name: value` for an ASCII value, which is neither encoded nor folded.

    Raises:
        UnsafeHeader: for control characters, non-ASCII, or a line over 998 octets.
    """
    refuse_controls(name, value)
    if not value.isascii():
        raise UnsafeHeader(f"{name} has to be ASCII")
    if len(name) + 2 + len(value) > 998:
        raise UnsafeHeader(f"{name} is too long")
    return f"{name}: {value}"


def text_line(name: str, value: str) -> str:
    """Return `Name: value` for free text, where needed as encoded-words folded at 76 characters."""
    refuse_controls(name, value)
    return f"{name}: {_encoded_text(name, value)}"


def address_line(name: str, *, display: str, address: str) -> str:
    """Return `Name: Display <address>` with the display name quoted or encoded where needed."""
    mailbox = f"{display} <{address}>" if display else address
    if len(name) + 2 + len(mailbox) <= _MAX_LINE and _PLAIN_MAILBOX.fullmatch(mailbox):
        return f"{name}: {mailbox}"
    address = ascii_address(name, address)
    refuse_controls(name, display)
    if not (display := display.strip()):
        return f"{name}: {address}"
    if display.isascii() and len(name) + len(display) < _MAX_LINE - 6 and "=?" not in display:
        phrase = display if _ATOMS.fullmatch(display) else f'"{quote(display)}"'
    else:
        phrase = _encoded_words(name, display)
    last = phrase.rpartition("\r\n")[2]
    room = _MAX_LINE - len(last) - (len(name) + 2 if last == phrase else 0)
    space = " " if len(address) + 3 <= room else "\r\n "
    return f"{name}: {phrase}{space}<{address}>"


def ascii_address(name: str, address: str) -> str:
    """Return the address as SMTP sends it: in ASCII, with the domain in IDNA."""
    refuse_controls(name, address)
    if not _ADDRESS.fullmatch(address):
        raise UnsafeHeader(f"{name} needs one e-mail address")
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError:
        raise UnsafeHeader(f"{name}: {address} cannot be written in ASCII") from None


def refuse_controls(name: str, value: str) -> None:
    """Raise UnsafeHeader if `value` could end its header and begin another."""
    # The first test is quick and settles almost every value: printable text has no controls.
    if not value.isprintable() and _CONTROLS.search(value):
        raise UnsafeHeader(f"{name} holds a line break or control character")


def _encoded_text(name: str, value: str) -> str:
    if value.isascii() and len(name) + 2 + len(value) <= _MAX_LINE and "=?" not in value:
        return value
    return _encoded_words(name, value)


def _encoded_words(name: str, value: str) -> str:
    return _one_encoded_word(value, room=_MAX_LINE - len(name) - 2) or Header(
        value, "utf-8", maxlinelen=_MAX_LINE, header_name=name
    ).encode(linesep="\r\n")


def _one_encoded_word(value: str, *, room: int) -> str:
    """Return what Python's Header makes of a short value, or "" if the value is too long.

    Header itself takes 20 µs for a name.
    """
    raw = value.encode()
    word = raw.decode("latin-1").translate(_Q)
    if (len(raw) + 2) // 3 * 4 < len(word):
        word = f"=?utf-8?b?{b2a_base64(raw, newline=False).decode()}?="
    else:
        word = f"=?utf-8?q?{word}?="
    return word if len(word) <= room else ""
