"""Encode text as quoted-printable in pieces that can be joined in any order (RFC 2045, 6.7)."""

from __future__ import annotations

import re

# A soft line break stands between two pieces; the decoder drops it.
SOFT_LINE_BREAK = "=\r\n"
# 76 characters, less the "=" of a soft line break.
_MAX_LINE = 75

# Everything but printable ASCII, the space and the tab is escaped; so is "=" itself.
_ESCAPES = {byte: f"={byte:02X}" for byte in range(256) if not 32 <= byte < 127 or byte == 61}
_ESCAPES[9] = "\t"
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
# Most URLs and addresses, which need no encoding. URLs that Daybreak makes have no "=".
_PLAIN = re.compile(r"(?!\.)[A-Za-z0-9@.:/_+-]{1,75}")


def encode(text: str) -> str:
    """Return `text` as quoted-printable UTF-8 with CRLF, no line longer than 75 characters.

    Pieces may be joined with SOFT_LINE_BREAK: decoding the whole then gives their texts one after
    the other. Line ends become CRLF. No line begins with a dot or with "From ", so the body needs
    no dot-stuffing (RFC 5321, 4.5.2) and passes through mbox files unchanged.
    """
    if needs_no_encoding(text):
        return text
    return "\r\n".join(_encode_line(line) for line in _LINE_ENDS.split(text))


def needs_no_encoding(text: str) -> bool:
    """Tell whether `text` needs no encoding in quoted-printable, in HTML and in a header."""
    return _PLAIN.fullmatch(text) is not None


def _encode_line(line: str) -> str:
    escaped = line.encode().decode("latin-1").translate(_ESCAPES)
    if (
        len(escaped) <= _MAX_LINE
        and escaped[:1] not in (".", "F")
        and escaped[-1:] not in (" ", "\t")
    ):
        return escaped
    rows = []
    while escaped:
        escaped = _guard_start(escaped)
        cut = min(_MAX_LINE, len(escaped))
        # An escape has three characters and may not be split.
        if (torn := escaped.rfind("=", max(0, cut - 2), cut)) != -1 and cut < len(escaped):
            cut = torn
        rows.append(escaped[:cut])
        escaped = escaped[cut:]
    # Mail servers may remove white space at the end of a line (rule 3 of RFC 2045, 6.7).
    if rows and rows[-1][-1] in " \t":
        rows[-1:] = _escape_last(rows[-1])
    return SOFT_LINE_BREAK.join(rows)


def _guard_start(row: str) -> str:
    if row.startswith("."):
        return "=2E" + row[1:]
    if row.startswith("From "):
        return "=46" + row[1:]
    return row


def _escape_last(row: str) -> list[str]:
    last = _escape_of(row[-1])
    return [row[:-1] + last] if len(row) + 2 <= _MAX_LINE else [row[:-1], last]


def _escape_of(character: str) -> str:
    return f"={ord(character):02X}"
