"""Turn the bytes of a feed or a page into text, and believe the bytes before any declaration."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

import chardet

# A declaration stands at the very start; some templates put much before it.
_HEAD_LENGTH = 10_000
_XML_ENCODING = re.compile(r"""<\?xml\b[^<>]*?\bencoding\s*+=\s*+["']([\w.:-]++)""", re.IGNORECASE)
_META_CHARSET = re.compile(
    r"""<meta\b[^<>]*?\bcharset\s*+=\s*+["']?\s*+([\w.:-]++)""", re.IGNORECASE
)
_TAG = re.compile(rb"<[^<>]*+>")
_ANY_DECLARATION = re.compile(rb"(?:charset|encoding)\s*+=", re.IGNORECASE)
_HEADER_CHARSET = re.compile(r"""(?:^|;)\s*+charset\s*+=\s*+["']?\s*+([\w.:-]++)""", re.IGNORECASE)

# What Python calls the encodings that a publisher may mean, and how each is read. As in browsers
# (https://encoding.spec.whatwg.org), a label means the largest encoding that contains it, because
# `iso-8859-1` mostly says windows-1252. Python's other codecs, such as `idna`, are no charsets.
_READ_AS = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874",
    "tis-620": "cp874", "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932",
    "euc_kr": "cp949", "big5": "big5hkscs",
} | {
    name: name
    for name in (
        *(f"cp{number}" for number in (866, 874, 932, 949, 950, *range(1250, 1259))),
        *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "gb18030", "big5hkscs", "euc_jp",
        "iso2022_jp",
    )
}  # fmt: skip
# Labels of the web that Python does not know.
_ALIASES = {
    "x-sjis": "cp932", "windows-31j": "cp932", "x-gbk": "gb18030", "windows-949": "cp949",
    "x-mac-cyrillic": "mac-cyrillic", "x-x-big5": "big5hkscs", "x-euc-jp": "euc_jp",
    "iso-8859-8-i": "iso8859-8", "dos-874": "cp874", "win-1251": "cp1251", "win1251": "cp1251",
    "x-cp1250": "cp1250", "x-cp1251": "cp1251", "x-cp1252": "cp1252", "ansi": "cp1252",
}  # fmt: skip
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
# The first two characters of XML, HTML and JSON are below 256, which tells the width of all.
_WIDE_STARTS = (
    (re.compile(rb"[^\0]\0\0\0"), "utf-32-le"), (re.compile(rb"\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"), (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
)  # fmt: skip
# Pairs that no language writes but a wrong encoding does: Latin letters that touch Greek or
# Cyrillic ones, and accented Latin letters that touch each other or signs such as § and ±.
_STRANGE = re.compile(
    r"[A-Za-z][\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][A-Za-z]"
    r"|[\xc0-\u024f]{2}|[\xa2-\xa9\xac-\xba\xbc-\xbe][\xc0-\u024f]"
    r"|[\xc0-\u024f][\xa2-\xa9\xac-\xba\xbc-\xbe]|[\x80-\x9f]"
)
_MOST_STRANGE = 0.15
# chardet's certainty about texts of a dozen words; below this it is guessing.
_LEAST_CONFIDENCE = 0.03
# A text between tags or quotation marks.
_PIECE = re.compile(r"""[^<>"]++""")
# The bytes that became these characters when UTF-8 was read as windows-1252 or as Latin-1.
_AS_BYTES = {
    ord(character): byte
    for byte in range(0x80, 0xA0)
    if (character := bytes([byte]).decode("cp1252", "ignore"))
}
# One may be meant, such as in an article about encodings.
_FEWEST_DOUBLE = 3
# Characters or bytes that are looked at to judge or to find an encoding.
_SAMPLE_LENGTH = 50_000


def to_text(body: bytes, *, content_type: str = "") -> str:
    """Return the text; a byte that its encoding does not know becomes U+FFFD.

    UTF-16 and UTF-32 are known by their bytes, and valid UTF-8 is UTF-8 whatever is declared.
    Otherwise the first encoding counts in which the bytes read like text: that of the HTTP header
    `content_type`, that of the XML declaration or `<meta>`, then the one that chardet detects.
    What was encoded as UTF-8 twice is decoded twice.
    """
    if wide := _wide(body):
        return body.decode(wide, "replace").removeprefix("\ufeff")
    body = body.removeprefix(codecs.BOM_UTF8)
    labels = [codec for label in _labels(body, content_type) if (codec := _codec(label))]
    # ISO-2022-JP writes Japanese in ASCII characters after an escape, so it is valid UTF-8.
    if "iso2022_jp" in labels and b"\x1b" in body:
        return body.decode("iso2022_jp", "replace")
    text = body.decode("utf-8", "replace")
    if _is_mostly_utf8(body, text):
        return _once_encoded(text)
    return _first_that_reads(body, labels)


def _once_encoded(text: str) -> str:
    """Return the text with what was encoded as UTF-8 twice, such as `FranÃ§ais`, decoded again.

    Only a piece is mended that becomes valid UTF-8 as a whole, and only if the text has several
    such characters, in a quarter of the pieces that have any beyond ASCII.
    """
    if text.isascii():
        return text
    beyond = {piece for piece in _PIECE.findall(text) if not piece.isascii()}
    mended = {piece: better for piece in beyond if (better := _decoded_again(piece))}
    count = sum(map(_count_beyond_ascii, mended.values()))
    if count < _FEWEST_DOUBLE or 4 * len(mended) < len(beyond):
        return text
    return _PIECE.sub(lambda piece: mended.get(piece[0], piece[0]), text)


def _decoded_again(piece: str) -> str:
    try:
        return piece.translate(_AS_BYTES).encode("latin-1").decode()
    except UnicodeError:
        return ""


def _wide(body: bytes) -> str:
    found = (codec for mark, codec in _WIDE_MARKS if body.startswith(mark))
    return next(found, "") or next(
        (codec for start, codec in _WIDE_STARTS if start.match(body[:4])), ""
    )


def _labels(body: bytes, content_type: str) -> Iterator[str]:
    """Yield the declared charsets, the HTTP header's first."""
    if in_header := _HEADER_CHARSET.search(content_type[:1000]):
        yield in_header[1]
    head = body[:_HEAD_LENGTH].decode("latin-1")
    if in_text := _XML_ENCODING.search(head[:1000]) or _META_CHARSET.search(head):
        yield in_text[1]


def _codec(label: str) -> str:
    """Return the codec that the label means; empty if it is none but UTF-8, which was tried."""
    label = label.lower().replace("_", "-")
    try:
        return _READ_AS.get(codecs.lookup(_ALIASES.get(label, label)).name, "")
    except (LookupError, ValueError):
        return ""


def _is_mostly_utf8(body: bytes, text: str) -> bool:
    """Tell whether no more is broken than some bytes, such as a last character that is cut.

    In another encoding hardly any of the bytes beyond ASCII would form UTF-8's sequences.
    """
    broken = text.count("\ufffd") - body.count("\ufffd".encode())
    return broken <= 0 or _count_beyond_ascii(text) >= 2 * broken


def _count_beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _first_that_reads(body: bytes, declared: list[str]) -> str:
    readings = [body.decode(codec, "replace") for codec in dict.fromkeys(declared)]
    for text in readings:
        if _strangeness(text) <= _MOST_STRANGE:
            return text
    readings.append(body.decode(_detected(body), "replace"))
    return min(readings, key=_strangeness)


def _strangeness(text: str) -> float:
    """Return how many of the characters beyond ASCII are what a wrong encoding makes: 0 to 1."""
    first = re.search(r"[^\x00-\x7f]", text)
    sample = text[max(0, first.start() - 1) :][:_SAMPLE_LENGTH] if first else ""
    beyond = _count_beyond_ascii(sample)
    broken = 4 * sample.count("\ufffd")
    return min(1.0, (broken + len(_STRANGE.findall(sample))) / beyond) if beyond else 0.0


def _detected(body: bytes) -> str:
    """Return the codec that the bytes beyond ASCII look like; windows-1252 if they are too few."""
    first = re.search(rb"[\x80-\xff]", body)
    start = max(0, first.start() - _HEAD_LENGTH) if first else 0
    # chardet believes a declaration, too, and is less sure of a text among many tags.
    whole = body[start : start + _SAMPLE_LENGTH]
    sample = _TAG.sub(b" ", whole)
    sample = whole if sample.isascii() else sample
    guess = chardet.detect(_ANY_DECLARATION.sub(b"", sample))
    is_sure = (guess["confidence"] or 0) >= _LEAST_CONFIDENCE
    return (_codec(guess["encoding"] or "") if is_sure else "") or "cp1252"
