"""Turn a frozen edition into one reader's message."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from email.utils import format_datetime
from functools import lru_cache
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, cast

from digest.rendering import headers
from digest.rendering.quoted_printable import SOFT_LINE_BREAK, encode, needs_no_encoding
from subscribers.plumbing.characters import without_bidi_controls

# Quoted-printable never has "=" before "_", so no content can hold this boundary.
BOUNDARY = "=_daybreak_alternative"
_PART = (
    f"--{BOUNDARY}\r\nContent-Type: text/{{kind}}; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
)
_TEXT_PART = _PART.format(kind="plain").encode()
_HTML_PART = b"\r\n" + _PART.format(kind="html").encode()
_END = f"\r\n--{BOUNDARY}--\r\n".encode()
_SOFT_LINE_BREAK = SOFT_LINE_BREAK.encode()

# How many combinations of muted sections are kept prepared. All readers with the same combination
# share one copy of the page, about 50 KB. A newsletter of six sections has 64 combinations.
_MAX_PREPARED = 64


class ReaderFields(NamedTuple):
    """The values in a message that are this reader's own; `readers.ReaderSigner` signs them."""

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
    """The fields of models.Frozen that this module uses; it imports no Django."""

    headers: Any
    text_segments: Any
    html_segments: Any


class CompiledPage:
    """A frozen edition that is ready for splicing; `compile_page` makes it."""

    def __init__(self, frozen: FrozenPage) -> None:
        segments = (*frozen.text_segments, *frozen.html_segments)
        self.frozen = frozen
        self._sections = frozenset(
            segment["section"] for segment in segments if segment["section"] is not None
        )
        # The sections that have stories; None stands for stories without a section.
        self._with_stories = frozenset(
            segment["section"] for segment in segments if segment["story"] is not None
        )
        self._prepared_without = lru_cache(maxsize=_MAX_PREPARED)(self._prepare)

    def message(self, reader: ReaderFields) -> bytes | None:
        """Return the reader's message, ready for the wire (CRLF, ASCII, lines of at most 76).

        Return None if the reader has muted every section that has stories.

        Raises:
            headers.UnsafeHeader: the reader's address or name cannot stand in a header. Only this
                reader's message cannot be made.
        """
        prepared = self._prepared_without(reader.muted_sections & self._sections)
        if prepared is None:
            return None
        pieces = prepared.pieces.copy()
        pieces[1::2] = prepared.choose(_values(reader))
        return b"".join(pieces)

    def _prepare(self, muted: frozenset[int]) -> _Prepared | None:
        if self._with_stories and self._with_stories <= muted:
            return None
        parts: list[bytes | int] = [
            self.frozen.headers.encode("ascii") + b"\r\n",
            *_READER_HEADERS,
            _TEXT_PART,
            *_body(self.frozen.text_segments, muted, _IN_TEXT),
            _HTML_PART,
            *_body(self.frozen.html_segments, muted, _IN_HTML),
            _END,
        ]
        _check_leading_dots(parts)
        return _alternate(parts)


def compile_page(frozen: FrozenPage) -> CompiledPage:
    """Return the page ready for splicing; one call serves all readers of an edition's revision."""
    return CompiledPage(frozen)


def personalise(frozen: FrozenPage, reader: ReaderFields) -> bytes | None:
    """Return one message from a page that is used only once; see `CompiledPage.message`."""
    return compile_page(frozen).message(reader)


class _Prepared(NamedTuple):
    """The page without some sections: fixed pieces, with one place for a value between each two."""

    pieces: list[bytes]
    # Picks from a reader's `_values` what goes into the places, in order.
    choose: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]


# Indexes of the values that `_values` returns.
_TO, _DATE, _MESSAGE_ID, _LIST_UNSUBSCRIBE = range(4)
_IN_TEXT = {"UNSUBSCRIBE": 4, "PREFERENCES": 5, "READER": 6}
_IN_HTML = {"UNSUBSCRIBE": 7, "PREFERENCES": 8, "READER": 9}

# Fixed bytes, and indexes of values.
_Parts = Iterable[bytes | int]
_READER_HEADERS: _Parts = (
    _TO, b"\r\n", _DATE, b"\r\n", _MESSAGE_ID, b"\r\nList-Unsubscribe: <", _LIST_UNSUBSCRIBE,
    b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\n",
)  # fmt: skip


def _values(reader: ReaderFields) -> tuple[bytes, ...]:
    _, _, email, name, _, date, unsubscribe, preferences, message_id, _ = reader
    own_headers = (
        headers.address_line("To", display=without_bidi_controls(name), address=email).encode(
            "ascii"
        ),
        _date_line(int(date.timestamp()), date.tzinfo),
        headers.ascii_line("Message-ID", message_id).encode("ascii"),
    )
    # The usual case: none of them needs encoding or escaping anywhere.
    if (
        needs_no_encoding(unsubscribe)
        and needs_no_encoding(preferences)
        and needs_no_encoding(email)
    ):
        values = (unsubscribe.encode(), preferences.encode(), email.encode())
        return *own_headers, values[0], *values, *values
    headers.ascii_line("List-Unsubscribe", f"<{unsubscribe}>")
    in_bodies = (unsubscribe, preferences, email)
    return (
        *own_headers,
        unsubscribe.encode("ascii"),
        *[encode(value).encode("ascii") for value in in_bodies],
        *[encode(escape(value)).encode("ascii") for value in in_bodies],
    )


@lru_cache(maxsize=8)
def _date_line(second: int, zone: tzinfo | None) -> bytes:
    """Return the Date header, which the messages of one second share.

    A lane makes thousands of messages in a second, and formatting a date takes 4 µs.
    """
    date = format_datetime(datetime.fromtimestamp(second, zone))
    return headers.ascii_line("Date", date).encode("ascii")


def _body(segments: list[dict[str, Any]], muted: frozenset[int], places: dict[str, int]) -> _Parts:
    """Yield the segments that are not muted, with soft line breaks between them."""
    shown = [segment for segment in segments if segment["section"] not in muted]
    for number, segment in enumerate(shown):
        if number:
            yield _SOFT_LINE_BREAK
        yield (
            segment["body"].encode("ascii") if "body" in segment else places[segment["placeholder"]]
        )


def _check_leading_dots(parts: _Parts) -> None:
    """Check once, for all messages of the page, that no line begins with a dot (RFC 5321, 4.5.2).

    Otherwise the SMTP client would have to look for such a line in each message. No value that
    `encode` made begins with a dot, so checking the fixed parts is enough.

    Raises:
        ValueError: a line begins with a dot, so the page was not made by `encode`.
    """
    if b"\r\n." in b"".join(part if isinstance(part, bytes) else b"@" for part in parts):
        raise ValueError("a line of the page begins with a dot")


def _alternate(parts: _Parts) -> _Prepared:
    """Join the fixed bytes between two places, so that each message has few pieces to join."""
    pieces: list[bytes] = []
    places: list[int] = []
    # Two places are never adjacent, and a message begins and ends with fixed bytes.
    for is_fixed, run in groupby(parts, key=lambda part: isinstance(part, bytes)):
        if is_fixed:
            pieces.append(b"".join(cast("Iterable[bytes]", run)))
        else:
            pieces.append(b"")
            places += cast("Iterable[int]", run)
    return _Prepared(pieces, itemgetter(*places))
