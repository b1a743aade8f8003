"""Read the lines of a CSV file once each, and find where a value in quotation marks ends."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from io import TextIOWrapper

# Enough for an address, a name and a few more columns, among them notes with line breaks. A longer
# record is no row of a list of readers: a quotation mark was never closed, or the file is no list.
LONGEST_RECORD = 64 * 1024
# A quotation mark after a backslash. Before a separator and the next value it ends its own value,
# whose last character is the backslash.
_ESCAPED = re.compile(r'\\"(?![,;]")')
# After so many lines the place in the file is noted: a call of `tell` takes as long as some lines.
_LINES_PER_PLACE = 1000


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


# A line's number, from 1, and its text, which is None if it is too long.
Line = tuple[int, str | None]


class Quote(Enum):
    """What quotation marks are at the end of a line: closed, open, or not as CSV has them."""

    CLOSED = auto()
    OPEN = auto()
    WRONG = auto()


class Lines:
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
        self.has_backslashes = False
        self._read = 0
        # Lines read ahead: those in which an open value stays open, then the one that decides.
        self._inside: deque[tuple[int, str]] = deque()
        self._inside_size = 0
        self._decisive: tuple[Line, Quote] | None = None
        # Places in the file, some lines before those that were read ahead.
        self._places: deque[tuple[int, int]] = deque()

    def take(self) -> Line | None:
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
        if last is None or quote is Quote.WRONG:
            return None
        if size + self._inside_size + len(last) > LONGEST_RECORD:
            return None
        rest = [text for _, text in self._inside] + [last]
        self._inside.clear()
        self._inside_size, self._decisive = 0, None
        return rest

    def _look_at(self, line: Line) -> None:
        number, text = line
        quote = Quote.WRONG if text is None else quote_at_end(text, self.delimiter, is_open=True)
        if text is not None and quote is Quote.OPEN:
            self._inside.append((number, text))
            self._inside_size += len(text) + 1
        else:
            self._decisive = line, quote

    def _read_line(self) -> Line | None:
        if self._read % _LINES_PER_PLACE == 0:
            self._note_place()
        line = self.text.readline(LONGEST_RECORD + 1)
        if not line:
            return None
        self._read += 1
        if len(line) <= LONGEST_RECORD or line.endswith("\n"):
            line = line.removesuffix("\n")
            return self._read, _ESCAPED.sub('""', line) if self.has_backslashes else line
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


def quote_at_end(line: str, delimiter: str, *, is_open: bool) -> Quote:
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
                return Quote.OPEN
            if line[at : at + 1] == '"':
                at += 1
                continue
            at = _after_blanks(line, at, delimiter)
            after = line[at : at + 1]
            if after != delimiter:
                return Quote.WRONG if after else Quote.CLOSED
            is_open, at = False, at + 1
        at = _after_blanks(line, at, delimiter)
        if line[at : at + 1] == '"':
            is_open, at = True, at + 1
            continue
        at = line.find(delimiter, at) + 1
        if not at:
            return Quote.CLOSED


def _after_blanks(line: str, at: int, delimiter: str) -> int:
    while line[at : at + 1] == " " != delimiter:
        at += 1
    return at
