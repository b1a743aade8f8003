"""Read a CSV file record by record, in constant memory."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator
from io import TextIOWrapper
from typing import NamedTuple

from subscribers.transfer.csv_lines import (
    FILE_START,
    LONGEST_RECORD,
    Lines,
    Quote,
    ResumePoint,
    quote_at_end,
)
from subscribers.transfer.unpacking import SourceFile, UnreadableFile

# More than any export has. Every page and every row of an import goes through the columns.
MOST_COLUMNS = 1000
# What stands around a value and does not belong to it; the last two cannot be seen, and come from
# files that were put together and from web pages.
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\ufeff\u200b"


class CsvRecord(NamedTuple):
    """One record as it is written in the file, without the blanks around its values."""

    line: int
    values: list[str]


class Refusal(NamedTuple):
    """One record that is not imported, and why; `line` is where it begins."""

    line: int
    email: str
    reason: str


class Spreadsheet:
    """A CSV file with a header; commas, semicolons, tabs or bars separate its columns.

    Values in quotation marks may hold line breaks. A quotation mark that is never closed costs its
    own line and not the rest of the file. `has_backslashes`: as in Preset.
    """

    def __init__(self, file: SourceFile, *, has_backslashes: bool = False) -> None:
        self.file, self.has_backslashes = file, has_backslashes
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
            self._reader.lines.has_backslashes = self.has_backslashes
            if after.line:
                self._reader.lines.resume(after)
            self._end = None
            yield from self._reader.records()
            self._end = self._reader.lines.resume_point()

    def position(self) -> int:
        """Return how many bytes of the file are read, before decompression."""
        return self.file.size if self._end else self._raw.position

    def resume_point(self) -> ResumePoint:
        """Return where another run would resume, between two records.

        The call asks the decoder for its state, which costs time, so it is not made for every
        record.
        """
        return self._end or self._reader.lines.resume_point()


class _Reader:
    """Turn lines into records."""

    def __init__(self, text: TextIOWrapper) -> None:
        self.lines = Lines(text)
        self.header, self.delimiter = self._header()
        self.lines.delimiter = self.delimiter
        self.width = len(self.header)

    def records(self) -> Iterator[CsvRecord | Refusal]:
        while (found := self.lines.take()) is not None:
            number, line = found
            if line is None:
                reason = f"the line is longer than {LONGEST_RECORD:,} characters"
                yield Refusal(number, "", reason)
            elif '"' in line or "\x00" in line:
                if (record := self._quoted(number, line)) is not None:
                    yield record
            else:
                values = [value.strip(_BLANKS) for value in line.split(self.delimiter)]
                if len(values) > self.width:
                    if (record := self._record(number, values)) is not None:
                        yield record
                elif any(values):
                    yield CsvRecord(number, values)

    def _header(self) -> tuple[list[str], str]:
        """Return the names of the columns and the character that separates them."""
        _, line = self.lines.take() or (1, "")
        hint = ""
        # Excel's own first line. A quotation mark cannot separate columns.
        if line and line.lower().startswith("sep=") and len(line) == 5 and line[4] != '"':
            hint = line[4]
            _, line = self.lines.take() or (2, "")
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
            strict = quote_at_end(line, delimiter, is_open=False) is Quote.CLOSED
            names = next(_csv_rows([line], delimiter)) if strict else None
        except (csv.Error, TypeError, ValueError):
            names = None
        if names is None:
            raise UnreadableFile(f"The first line does not name columns: {line[:80]!r}.")
        if len(names) > MOST_COLUMNS:
            raise UnreadableFile(
                f"The first line names {len(names):,} columns, and at most {MOST_COLUMNS:,} are "
                "read. Leave out those that say nothing of a reader."
            )
        return [name.strip(_BLANKS) for name in names], delimiter

    def _quoted(self, number: int, line: str) -> CsvRecord | Refusal | None:
        """Return the record that begins here, with all lines that its quotation marks span."""
        quote = quote_at_end(line, self.delimiter, is_open=False)
        lines: list[str] | None = None if quote is Quote.WRONG else [line]
        if quote is Quote.OPEN:
            rest = self.lines.take_rest_of_value(line)
            lines = None if rest is None else [line, *rest]
        if lines is None:
            return Refusal(number, "", "a quotation mark is not closed, or closed too soon")
        return self._record(number, next(_csv_rows(_with_ends(lines), self.delimiter), []))

    def _record(self, number: int, values: list[str]) -> CsvRecord | Refusal | None:
        """Return the record, or None if it is blank."""
        values = [value.strip(_BLANKS) for value in values]
        if not any(values):
            return None
        if any("\x00" in value for value in values):
            return Refusal(number, "", "the line holds a NUL character")
        if any(values[self.width :]):
            reason = f"the line has {len(values)} fields, the header names {self.width}"
            return Refusal(number, "", reason)
        return CsvRecord(number, values[: self.width])


def _csv_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Return csv's reader as spreadsheets read: blanks before a quotation mark do not count.

    `quote_at_end` has found no fault in the lines. csv's own strict mode would refuse a blank after
    a closing mark, too.
    """
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != " ")


def _with_ends(lines: list[str]) -> Iterator[str]:
    yield from (f"{line}\n" for line in lines)
