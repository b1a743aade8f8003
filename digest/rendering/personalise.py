"""Turn a frozen edition into one reader's message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any, Protocol

from digest.rendering import headers
from digest.rendering.quoted_printable import JOIN, encode

# Quoted-printable never has "=" before "_", so no content can hold this boundary.
BOUNDARY = "=_daybreak_alternative"
_PART = (
    f"--{BOUNDARY}\r\nContent-Type: text/{{kind}}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)
_TEXT_PART = _PART.format(kind="plain")
_HTML_PART = "\r\n" + _PART.format(kind="html")
_END = f"\r\n--{BOUNDARY}--\r\n"


@dataclass(frozen=True)
class Reader:
    """Everything in a message that is this reader's own; `readers.reader_for` signs it."""

    edition_id: int
    subscription_id: int
    email: str
    name: str
    muted_sections: frozenset[int]
    date: datetime
    unsubscribe_url: str
    preferences_url: str
    message_id: str
    test: bool = False


class FrozenPage(Protocol):
    """What is needed of models.Frozen, so that this module stays free of Django."""

    headers: Any
    text_segments: Any
    html_segments: Any


def personalise(frozen: FrozenPage, reader: Reader) -> bytes | None:
    """Return the reader's message, ready for the wire (CRLF, ASCII, lines of at most 76).

    None where the reader has muted every section that has stories.

    Raises:
        headers.UnsafeHeader: for an address or name that cannot stand in a header; this reader's
            message cannot be made, others' can.
    """
    if not _wants_any(frozen.html_segments, reader.muted_sections):
        return None
    slots = {
        "UNSUBSCRIBE": reader.unsubscribe_url,
        "PREFERENCES": reader.preferences_url,
        "READER": reader.email,
    }
    text = {name: encode(value) for name, value in slots.items()}
    html = {name: encode(escape(value)) for name, value in slots.items()}
    message = (
        f"{frozen.headers}\r\n{_own_headers(reader)}\r\n"
        f"{_TEXT_PART}{_join(frozen.text_segments, text, reader.muted_sections)}"
        f"{_HTML_PART}{_join(frozen.html_segments, html, reader.muted_sections)}{_END}"
    )
    return message.encode("ascii")


def _wants_any(segments: list[dict[str, Any]], muted: frozenset[int]) -> bool:
    return not muted or any(
        segment["story"] is not None and segment["section"] not in muted for segment in segments
    )


def _join(segments: list[dict[str, Any]], values: dict[str, str], muted: frozenset[int]) -> str:
    return JOIN.join(
        [
            segment["body"] if "body" in segment else values[segment["slot"]]
            for segment in segments
            if segment["section"] not in muted
        ]
    )


def _own_headers(reader: Reader) -> str:
    lines = (
        headers.address_line("To", display=reader.name, address=reader.email),
        headers.line("Date", format_datetime(reader.date)),
        headers.line("Message-ID", reader.message_id),
        headers.line("List-Unsubscribe", f"<{reader.unsubscribe_url}>"),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    )
    return "".join(f"{line}\r\n" for line in lines)
