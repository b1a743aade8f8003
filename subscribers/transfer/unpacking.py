"""Open a list of readers as text, compressed by gzip or not, in any of several encodings."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

# Bytes after decompression. A list of ten million readers has less than 2 GB; more than this is a
# mistake or a decompression bomb.
MAX_BYTES = 4 * 1024**3
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252 (Western Europe, as Excel saves CSV)",
    "iso-8859-15": "Latin-9 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1256": "Windows-1256 (Arabic)",
    "shift_jis": "Shift JIS (Japanese)",
}
_CHUNK = 1024 * 1024
_HEAD = 4096
# The first bytes of files that somebody may take for a list, and what such a file is.
_NOT_TEXT = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind",
    b"%PDF": "a PDF",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
}


class UnreadableFile(Exception):
    """A file of which no row can be read; the message is a sentence for the operator."""


@dataclass(frozen=True)
class SourceFile:
    """A stored list; each call of `open` gives its bytes from the start."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
    encoding: str = ""
    max_bytes: int = MAX_BYTES

    def detect_encoding(self) -> str:
        """Return its encoding.

        A byte order mark decides, then the encoding that was asked for, then the file's first
        bytes.

        Raises:
            UnreadableFile: the file is no text at all.
        """
        with self.unpacked() as raw:
            head = raw.read(_HEAD)
        for magic, kind in _NOT_TEXT.items():
            if head.startswith(magic):
                raise UnreadableFile(
                    f"The file is {kind}. Unpack it, or save it as “CSV UTF-8”, and import the CSV "
                    "files in it one by one."
                )
        return _encoding_by_bom(head) or self.encoding or _encoding_by_nuls(head) or "utf-8-sig"

    @contextmanager
    def unpacked(self) -> Iterator[Unpacked]:
        """Open its bytes, decompressed if it is a gzip file.

        Raises:
            UnreadableFile: the file cannot be opened, is damaged, or is too large.
        """
        try:
            with self.open() as packed:
                is_gzip = packed.read(2) == b"\x1f\x8b"
                packed.seek(0)
                raw = gzip.GzipFile(fileobj=packed) if is_gzip else packed
                yield Unpacked(raw, packed, max_bytes=self.max_bytes)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise UnreadableFile(f"{self.name} is a damaged gzip file.") from None
        except OSError as error:
            raise UnreadableFile(f"{self.name}: {error.strerror or error}.") from None

    @contextmanager
    def text(self) -> Iterator[tuple[Unpacked, io.TextIOWrapper[Any]]]:
        """Open its text, with every kind of line end as a newline.

        Raises:
            UnreadableFile: as in `unpacked`, or a byte is not valid in the encoding.
        """
        encoding = self.detect_encoding()
        with self.unpacked() as raw, io.TextIOWrapper(cast(Any, raw), encoding) as text:
            try:
                yield raw, text
            except UnicodeError:
                self.check_encoding()  # says which line it is
                raise UnreadableFile(f"{self.name} was changed while it was read.") from None

    def check_encoding(self, *, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Decode the whole file once, so that a file in another encoding is refused as a whole.

        `should_stop` is asked after each megabyte; if it is true, the rest is not decoded.

        Raises:
            UnreadableFile: a line cannot be decoded; the message says which.
        """
        encoding = self.detect_encoding()
        decoder = codecs.getincrementaldecoder(encoding)()
        line = 1
        with self.unpacked() as raw:
            while not should_stop():
                chunk = raw.read(_CHUNK)
                try:
                    line += decoder.decode(chunk, final=not chunk).count("\n")
                except UnicodeDecodeError as error:
                    line += _lines_before(error, encoding)
                    raise UnreadableFile(_not_encoded(line, encoding)) from None
                if not chunk:
                    return


@dataclass
class Unpacked(io.RawIOBase):
    """The decompressed bytes of a file, up to a limit; `position` is how far the file is read."""

    raw: io.BufferedIOBase | BinaryIO
    packed: BinaryIO
    max_bytes: int = MAX_BYTES
    bytes_read: int = field(default=0, init=False)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.raw.read(size)
        self.bytes_read += len(data)
        if self.bytes_read > self.max_bytes:
            raise UnreadableFile(
                f"The file is larger than {self.max_bytes / 1024**3:,.1f} GB, unpacked; split it."
            )
        return data

    read1 = read  # what TextIOWrapper asks for

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.bytes_read = self.raw.seek(offset, whence)
        return self.bytes_read

    def tell(self) -> int:
        return self.raw.tell()

    @property
    def position(self) -> int:
        return self.packed.tell()


def _encoding_by_bom(head: bytes) -> str:
    """Return the encoding that a byte order mark names, which nobody writes by accident."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return ""


def _encoding_by_nuls(head: bytes) -> str:
    """Return the kind of UTF-16 without a mark: every second byte of an ASCII header is NUL."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 8 and max(even, odd) > len(head) / 3 and not min(even, odd):
        return "utf-16-be" if even else "utf-16-le"
    return ""


def _lines_before(error: UnicodeDecodeError, encoding: str) -> int:
    # The decoder may have held back bytes of the previous chunk; no line ends in these.
    decodable = error.object[: error.start]
    return decodable.decode(encoding.removesuffix("-sig"), "replace").count("\n")


def _not_encoded(line: int, encoding: str) -> str:
    if encoding.startswith("utf-8"):
        return (
            f"Line {line} is not UTF-8, so the file may be in Windows-1252 or another encoding. "
            "Name its encoding, or save it as “CSV UTF-8”; nothing has been imported."
        )
    named = ENCODINGS.get(encoding, encoding).partition(" (")[0]
    return f"Line {line} is not {named}. Name another encoding; nothing has been imported."
