"""Read a CSV file of readers line by line, in constant memory."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

COLUMNS = ("email", "name", "timezone", "language")
# An address, a name and a few more columns; what is longer is not a row of a list of readers.
LONGEST_LINE = 64 * 1024
_CHUNK = 1024 * 1024


class UnreadableFile(Exception):
    """A file of which no row can be read; the message is a sentence for the operator."""


@dataclass(frozen=True)
class Row:
    """One line as it is written in the file, blanks around the values taken off."""

    line: int
    email: str
    name: str = ""
    timezone: str = ""
    language: str = ""


@dataclass(frozen=True)
class Refusal:
    """One line that does not go in, and why."""

    line: int
    email: str
    reason: str


class Spreadsheet:
    """A CSV file in UTF-8 with a header; commas, semicolons or tabs part its columns.

    A row is one line. Nothing that we import may hold a line break, and so a quotation mark that
    is never closed costs its own line and not the rest of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise UnreadableFile(f"{path}: {error.strerror}.") from None
        if not path.is_file():
            raise UnreadableFile(f"{path} is not a file.")

    def rows(self) -> Iterator[Row | Refusal]:
        """Yield every line under the header that is not blank.

        The whole file is decoded once before the first row, so that a file in another encoding
        is refused as a whole.

        Raises:
            UnreadableFile: it cannot be opened or decoded, or its header is not ours.
        """
        try:
            self._check_encoding()
            with self.path.open("rb") as raw, TextIOWrapper(raw, "utf-8-sig") as text:
                lines = _lines(text)
                _, first = next(lines, (1, ""))
                header, delimiter = _header(first)
                for number, line in lines:
                    self.position = raw.tell()
                    if (row := _row(number, line, header, delimiter)) is not None:
                        yield row
        except UnicodeDecodeError:
            raise UnreadableFile(f"{self.path} was changed while it was read.") from None
        except OSError as error:
            raise UnreadableFile(f"{self.path}: {error.strerror}.") from None

    def _check_encoding(self) -> None:
        line = 1
        decoder = codecs.getincrementaldecoder("utf-8")()
        with self.path.open("rb") as raw:
            while chunk := raw.read(_CHUNK):
                if line == 1 and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    raise UnreadableFile("The file is in UTF-16; save it as “CSV UTF-8”.")
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    # The decoder may have held back bytes of the chunk before; no line ends there.
                    line += error.object[: error.start].count(b"\n")
                    raise UnreadableFile(_not_utf8(line)) from None
                line += chunk.count(b"\n")
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise UnreadableFile(_not_utf8(line)) from None


def _not_utf8(line: int) -> str:
    return (
        f"Line {line} is not UTF-8, so the file may be in Windows-1252 or Latin-1. "
        "Save it as “CSV UTF-8” and import it again; nothing has been imported."
    )


def _lines(text: TextIOWrapper) -> Iterator[tuple[int, str | None]]:
    """Yield the lines with their numbers from 1; None for one that is too long."""
    number = 0
    while line := text.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) <= LONGEST_LINE or line.endswith("\n"):
            yield number, line.rstrip("\n")
            continue
        while line and not line.endswith("\n"):
            line = text.readline(LONGEST_LINE)
        yield number, None


def _header(line: str | None) -> tuple[list[str], str]:
    """Return the names of the columns and what parts them."""
    if not line or not line.strip():
        raise UnreadableFile("The file is empty; its first line names the columns: email,name,…")
    delimiter = max(",;\t", key=line.count)
    try:
        header = [name.strip().lower() for name in _fields(line, delimiter)]
    except csv.Error:
        header = []
    if "email" not in header:
        raise UnreadableFile(
            f"The first line must name the columns, among them “email”: {','.join(COLUMNS)}. "
            f"It is {line[:80]!r}."
        )
    for name in COLUMNS:
        if header.count(name) > 1:
            raise UnreadableFile(f"The first line names the column “{name}” twice.")
    return header, delimiter


def _row(number: int, line: str | None, header: list[str], delimiter: str) -> Row | Refusal | None:
    """Return what the line says; None for a blank one."""
    if line is None:
        return Refusal(number, "", f"the line is longer than {LONGEST_LINE:,} characters")
    if "\x00" in line:
        return Refusal(number, "", "the line holds a NUL character")
    try:
        fields = [field.strip() for field in _fields(line, delimiter)]
    except csv.Error:
        return Refusal(number, "", "a quotation mark is not closed on the line, or closed too soon")
    if not any(fields):
        return None
    if len(fields) > len(header):
        reason = f"the line has {len(fields)} fields, the header names {len(header)}"
        return Refusal(number, "", reason)
    named = dict(zip(header, fields, strict=False))
    return Row(line=number, **{name: named.get(name, "") for name in COLUMNS})


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, strict=True), [])
