"""Read a CSV file record by record, in constant memory."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from io import TextIOWrapper
from typing import NamedTuple

from subscribers.transfer.unpacking import SourceFile, UnreadableFile

# Enough for an address, a name and a few more columns, among them notes with line breaks. A longer
# record is no row of a list of readers: a quotation mark was never closed, or the file is no list.
LONGEST_RECORD = 64 * 1024
# After so many lines the place in the file is noted: a call of `tell` takes as long as some lines.
_LINES_PER_PLACE = 1000
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


@dataclass(frozen=True)
class ResumePoint:
    """Where another run resumes: after so many lines of the file.

    `cookie` is what TextIOWrapper.tell returned `skip` lines before that. Lines that were read
    ahead cost no `tell` each, which takes longer than the line itself.
    """

    line: int = 0
    cookie: int = 0
    skip: int = 0

    @classmethod
    def parse(cls, line: int, text: str) -> ResumePoint:
        """Read what `position_text` has written."""
        cookie, _, skip = text.partition("+")
        return cls(line, int(cookie), int(skip or 0))

    def position_text(self) -> str:
        return f"{self.cookie}+{self.skip}" if self.skip else str(self.cookie)


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


# A line's number, from 1, and its text, which is None if it is too long.
_Line = tuple[int, str | None]


class _Quote(Enum):
    """What quotation marks are at the end of a line: closed, open, or not as CSV has them."""

    CLOSED = auto()
    OPEN = auto()
    WRONG = auto()


class _Lines:
    """The lines of a file, each of which is read once, and looked at once for the end of a value.

    A value in quotation marks may hold line breaks. The lines that follow its first one are read
    ahead until its closing mark, or until none can be found. In the second case they are the next
    lines to be taken, and what is known of them stays known: a line in which a value does not end
    is never searched again. Otherwise each line of a hostile list would be searched for every line
    in front of it.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self.text = text
        self.delimiter = ""
        self._read = 0
        # Lines read ahead: those in which an open value stays open, then the one that decides.
        self._inside: deque[tuple[int, str]] = deque()
        self._inside_size = 0
        self._decisive: tuple[_Line, _Quote] | None = None
        # Places in the file, some lines before those that were read ahead.
        self._places: deque[tuple[int, int]] = deque()

    def take(self) -> _Line | None:
        """Return the next line; None at the end of the file."""
        if self._inside:
            number, line = self._inside.popleft()
            self._inside_size -= len(line) + 1
            return number, line
        if self._decisive is not None:
            decisive, self._decisive = self._decisive, None
            return decisive[0]
        return self._read_line()

    def take_rest_of_value(self, first: str) -> list[str] | None:
        """Return the lines after `first` up to the one in which its open value ends.

        None if there is no such line within LONGEST_RECORD characters; then no line is taken.
        """
        size = len(first) + 1
        while self._decisive is None:
            if size + self._inside_size > LONGEST_RECORD or (line := self._read_line()) is None:
                return None
            self._look_at(line)
        (_, last), quote = self._decisive
        if last is None or quote is _Quote.WRONG:
            return None
        if size + self._inside_size + len(last) > LONGEST_RECORD:
            return None
        rest = [text for _, text in self._inside] + [last]
        self._inside.clear()
        self._inside_size, self._decisive = 0, None
        return rest

    def _look_at(self, line: _Line) -> None:
        number, text = line
        quote = _Quote.WRONG if text is None else quote_at_end(text, self.delimiter, is_open=True)
        if text is not None and quote is _Quote.OPEN:
            self._inside.append((number, text))
            self._inside_size += len(text) + 1
        else:
            self._decisive = line, quote

    def _read_line(self) -> _Line | None:
        if self._read % _LINES_PER_PLACE == 0:
            self._note_place()
        line = self.text.readline(LONGEST_RECORD + 1)
        if not line:
            return None
        self._read += 1
        if len(line) <= LONGEST_RECORD or line.endswith("\n"):
            return self._read, line.removesuffix("\n")
        while line and not line.endswith("\n"):
            line = self.text.readline(LONGEST_RECORD)
        return self._read, None

    def _note_place(self) -> None:
        taken = self._taken()
        while len(self._places) > 1 and self._places[1][0] <= taken:
            self._places.popleft()
        if not self._places or self._places[-1][0] < self._read:
            self._places.append((self._read, self.text.tell()))

    def _taken(self) -> int:
        """Return how many lines have been taken: those read, without those read ahead."""
        return self._read - len(self._inside) - (self._decisive is not None)

    def resume(self, point: ResumePoint) -> None:
        self.text.seek(point.cookie)
        self._read = point.line - point.skip
        self._inside.clear()
        self._inside_size, self._decisive = 0, None
        self._places.clear()
        self._note_place()
        for _ in range(point.skip):
            self._read_line()

    def resume_point(self) -> ResumePoint:
        taken = self._taken()
        if taken == self._read:
            return ResumePoint(taken, self.text.tell())
        line, cookie = max(place for place in self._places if place[0] <= taken)
        return ResumePoint(taken, cookie, taken - line)


class _Reader:
    """Turn lines into records."""

    def __init__(self, text: TextIOWrapper) -> None:
        self.lines = _Lines(text)
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
            strict = quote_at_end(line, delimiter, is_open=False) is _Quote.CLOSED
            names = next(_csv_rows([line], delimiter)) if strict else None
        except (csv.Error, TypeError, ValueError):
            names = None
        if names is None:
            raise UnreadableFile(f"The first line does not name columns: {line[:80]!r}.")
        return [name.strip(_BLANKS) for name in names], delimiter

    def _quoted(self, number: int, line: str) -> CsvRecord | Refusal | None:
        """Return the record that begins here, with all lines that its quotation marks span."""
        quote = quote_at_end(line, self.delimiter, is_open=False)
        lines: list[str] | None = None if quote is _Quote.WRONG else [line]
        if quote is _Quote.OPEN:
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


def quote_at_end(line: str, delimiter: str, *, is_open: bool) -> _Quote:
    """Return how quotation marks stand at the end of the line.

    `is_open`: the line begins within a value in quotation marks. In such a value they come in
    pairs. Blanks may stand before the opening one; only blanks and a separator or the end of the
    line may follow the closing one.
    """
    at = 0
    while True:
        if is_open:
            at = line.find('"', at) + 1
            if not at:
                return _Quote.OPEN
            if line[at : at + 1] == '"':
                at += 1
                continue
            at = _after_blanks(line, at, delimiter)
            after = line[at : at + 1]
            if after != delimiter:
                return _Quote.WRONG if after else _Quote.CLOSED
            is_open, at = False, at + 1
        at = _after_blanks(line, at, delimiter)
        if line[at : at + 1] == '"':
            is_open, at = True, at + 1
            continue
        at = line.find(delimiter, at) + 1
        if not at:
            return _Quote.CLOSED


def _after_blanks(line: str, at: int, delimiter: str) -> int:
    while line[at : at + 1] == " " != delimiter:
        at += 1
    return at
