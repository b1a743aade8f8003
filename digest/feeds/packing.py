"""Unpack the body of a response by what its bytes are, whatever its headers say of it."""

from __future__ import annotations

import re
import zlib

_GZIP = b"\x1f\x8b\x08"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_BARE_DEFLATE = -zlib.MAX_WBITS
# A server may pack a file that is a gzip file already.
_MOST_LAYERS = 2
# HTTP's compressions that are not requested and not read (IANA's registry of content codings).
_UNREAD_CODINGS = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "lzma"})
# The start of XML, HTML and JSON, after any byte order mark.
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*+[<{\[]")
_CONTROLS = re.compile(rb"[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f]")


class CannotUnpack(Exception):
    """The body cannot be unpacked; the message says why in plain words."""


def unpack(body: bytes, *, content_encoding: str = "", max_bytes: int) -> bytes:
    """Return the unpacked body; one that is not packed comes back as it is.

    Content-Encoding counts only where the bytes do not contradict it: publishers write `UTF-8` or
    `none` there, name gzip for a file that a proxy has unpacked, and serve `.gz` files without it.

    Raises CannotUnpack if the body is packed in a way that is not read, is broken, or has more
    than `max_bytes` bytes.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")[:10]]
    for _ in range(_MOST_LAYERS):
        if not body.startswith(_GZIP):
            break
        body, codings = _inflate(body, wbits=_GZIP_OR_ZLIB, max_bytes=max_bytes), []
    named = {coding.removeprefix("x-") for coding in codings}
    if not body or _looks_like_text(body) or not named & {"gzip", "deflate", *_UNREAD_CODINGS}:
        return body
    if unread := named & _UNREAD_CODINGS:
        raise CannotUnpack(f"It came in the encoding “{min(unread)}”, which is not supported.")
    # RFC 9110, section 8.4.1.2: `deflate` has zlib's header, but some servers leave that out.
    is_bare = "deflate" in named and (body[0] & 15 != 8 or int.from_bytes(body[:2]) % 31)
    return _inflate(body, wbits=_BARE_DEFLATE if is_bare else _GZIP_OR_ZLIB, max_bytes=max_bytes)


def _looks_like_text(body: bytes) -> bool:
    return bool(_MARKUP.match(body)) and not _CONTROLS.search(body[:500])


def _inflate(packed: bytes, *, wbits: int, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(wbits=wbits)
    try:
        body = inflater.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise CannotUnpack("Its compression is broken.") from error
    if len(body) > max_bytes:
        raise CannotUnpack(f"It is larger than {max_bytes / 1e6:g} MB.")
    if not inflater.eof:
        raise CannotUnpack("It ended before it was complete.")
    return body
