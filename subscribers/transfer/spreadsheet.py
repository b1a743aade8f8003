"""Read a CSV file record by record, in constant memory."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import NamedTuple

from subscribers.transfer.unpacking import SourceFile, UnreadableFile

# Enough for an address, a name and a few more columns, among them notes with line breaks. A longer
# record is no row of a list of readers: a quotation mark was never closed, or the file is no list.
LONGEST_RECORD = 64 * 1024


class CsvRecord(NamedTuple):
    """One record as it is written in the file, without the blanks around its values."""

    line: int
    values: list[str]


class Refusal(NamedTuple):
    """One record that is not imported, and why; `line` is where it begins."""

    line: int
    email: str
    reason: str


@dataclass(frozen=True)
class ResumePoint:
    """Where another run resumes: a line, and what TextIOWrapper.tell returned there."""

    line: int = 0
    cookie: int = 0


FILE_START = ResumePoint()


class Spreadsheet:
    """A CSV file with a header; commas, semicolons, tabs or bars separate its columns.

    Values in quotation marks may hold line breaks. A quotation mark that is never closed costs its
    own line and not the rest of the file.
    """

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self._end: ResumePoint | None = None

    def header(self) -> list[str]:
        """Return the names of the columns.

        Raises:
            UnreadableFile: the file cannot be opened or decoded, or has no first line.
        """
        with self.file.text() as (_, text):
            return _Reader(text).header

    def records(
        self, *, after: ResumePoint = FILE_START
    ) -> Generator[CsvRecord | Refusal, None, None]:
        """Yield every record that is not blank, after the header or after a resume point.

        Raises:
            UnreadableFile: as in `header`, or the file is damaged or too large further down.
        """
        with self.file.text() as (self._raw, text):
            self._reader = _Reader(text)
            if after.line:
                self._reader.resume(after)
            self._end = None
            yield from self._reader.records()
            self._end = self._reader.resume_point()

    def position(self) -> int:
        """Return how many bytes of the file are read, before decompression."""
        return self.file.size if self._end else self._raw.position

    def resume_point(self) -> ResumePoint | None:
        """Return where another run would resume, between two records.

        None while a closing quotation mark is searched for. The call asks the decoder for its
        state, which costs time, so it is not made for every record.
        """
        return self._end or self._reader.resume_point()


class _Reader:
    """Turn lines into records."""

    def __init__(self, text: TextIOWrapper) -> None:
        self.text = text
        self.line = 0
        # Lines that were read in search of a closing quotation mark and had none; they are next.
        self.waiting: deque[tuple[int, str | None]] = deque()
        self.header, self.delimiter = self._header()
        self.width = len(self.header)

    def resume(self, point: ResumePoint) -> None:
        self.text.seek(point.cookie)
        self.line = point.line

    def resume_point(self) -> ResumePoint | None:
        return None if self.waiting else ResumePoint(self.line, self.text.tell())

    def records(self) -> Iterator[CsvRecord | Refusal]:
        while (found := self._next_line()) is not None:
            number, line = found
            if line is None:
                reason = f"the line is longer than {LONGEST_RECORD:,} characters"
                yield Refusal(number, "", reason)
            elif '"' in line or "\x00" in line:
                if (record := self._quoted(number, line)) is not None:
                    yield record
            else:
                values = [value.strip() for value in line.split(self.delimiter)]
                if len(values) > self.width:
                    if (record := self._record(number, values)) is not None:
                        yield record
                elif any(values):
                    yield CsvRecord(number, values)

    def _header(self) -> tuple[list[str], str]:
        """Return the names of the columns and the character that separates them."""
        _, line = self._next_line() or (1, "")
        hint = ""
        if line and line.lower().startswith("sep=") and len(line) == 5:  # Excel's own first line
            hint = line[4]
            _, line = self._next_line() or (2, "")
        if line is None:
            raise UnreadableFile(
                f"The first line is longer than {LONGEST_RECORD:,} characters; it should name"
                " the columns, such as email,name."
            )
        if not line.strip():
            raise UnreadableFile(
                "The file is empty; its first line names the columns, such as email,name."
            )
        delimiter = hint or max(",;\t|", key=line.count)
        try:
            names = next(csv.reader([line], delimiter=delimiter, strict=True))
        except (csv.Error, TypeError):
            raise UnreadableFile(f"The first line does not name columns: {line[:80]!r}.") from None
        return [name.strip() for name in names], delimiter

    def _next_line(self) -> tuple[int, str | None] | None:
        """Return the next line's number, from 1, and its text, which is None if it is too long."""
        if self.waiting:
            return self.waiting.popleft()
        line = self.text.readline(LONGEST_RECORD + 1)
        if not line:
            return None
        self.line += 1
        if len(line) <= LONGEST_RECORD or line.endswith("\n"):
            return self.line, line.removesuffix("\n")
        while line and not line.endswith("\n"):
            line = self.text.readline(LONGEST_RECORD)
        return self.line, None

    def _quoted(self, number: int, line: str) -> CsvRecord | Refusal | None:
        """Return the record that begins here, with all lines that its quotation marks span."""
        lines, size = [line], len(line)
        taken: list[tuple[int, str | None]] = []
        is_open = _ends_open(line, self.delimiter, is_open=False)
        while is_open and (found := self._next_line()) is not None:
            taken.append(found)
            size += LONGEST_RECORD if found[1] is None else len(found[1])
            if found[1] is None or size > LONGEST_RECORD:
                break
            lines.append(found[1])
            is_open = _ends_open(found[1], self.delimiter, is_open=True)
        try:
            if is_open:
                raise csv.Error
            rows = csv.reader(_with_ends(lines), delimiter=self.delimiter, strict=True)
            return self._record(number, next(rows, []))
        except csv.Error:
            self.waiting.extendleft(reversed(taken))
            return Refusal(number, "", "a quotation mark is not closed, or closed too soon")

    def _record(self, number: int, values: list[str]) -> CsvRecord | Refusal | None:
        """Return the record, or None if it is blank."""
        values = [value.strip() for value in values]
        if not any(values):
            return None
        if any("\x00" in value for value in values):
            return Refusal(number, "", "the line holds a NUL character")
        if any(values[self.width :]):
            reason = f"the line has {len(values)} fields, the header names {self.width}"
            return Refusal(number, "", reason)
        return CsvRecord(number, values[: self.width])


def _with_ends(lines: list[str]) -> Iterator[str]:
    yield from (f"{line}\n" for line in lines)


def _ends_open(line: str, delimiter: str, *, is_open: bool) -> bool:
    """Return whether a quotation mark is open at the line's end. In a value they come in pairs."""
    at = 0
    while True:
        if is_open:
            at = line.find('"', at)
            if at < 0:
                return True
            at += 1
            if line[at : at + 1] == '"':
                at += 1
                continue
            is_open = False
        if line[at : at + 1] == '"' and (at == 0 or line[at - 1] == delimiter):
            is_open, at = True, at + 1
            continue
        at = line.find(delimiter, at) + 1
        if not at:
            return False
