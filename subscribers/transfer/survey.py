"""Look at a whole list before its first row is stored: who has left, and how dates are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from subscribers.transfer.dates import DateOrder, Orders, order_of
from subscribers.transfer.presets import Field, Preset, RowKind
from subscribers.transfer.questions import NO_ANSWERS, Answers, Question
from subscribers.transfer.signs import meanings
from subscribers.transfer.signs.columns import SignColumn
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.roles import ColumnRole, Role, role_of
from subscribers.transfer.spreadsheet import CsvRecord, Refusal
from subscribers.transfer.unpacking import UnreadableFile

# A column with more values is no status, unless its name says that it is one.
MOST_VALUES = 60
# The values that a question names; the operator may answer for all others together.
ASKED_VALUES = 20
# What these fields hold cannot say that somebody left.
_PERSONAL = (
    Field.EMAIL, Field.NAME, Field.FIRST_NAME, Field.LAST_NAME, Field.LANGUAGE, Field.TIMEZONE,
    Field.SIGNED_UP_AT, Field.SIGNED_UP_IP, Field.CONFIRMED_AT, Field.CONFIRMED_IP,
)  # fmt: skip
_DATED = (Field.CONFIRMED_AT, Field.SIGNED_UP_AT, Field.LEFT_AT)
# A column that the operator has chosen is a status, although its name does not say so.
_SILENT = (Role.OTHER, Role.TEXT, Role.TAGS, Role.ELSEWHERE)
# Services write a file for each kind of person, with the same columns: the first word of its name
# is then all that says who they are, as in Mailchimp's nonsubscribed_members_export_….csv.
_FILE_WORDS = (
    "unsub", "nonsub", "cleaned", "bounce", "optout", "optedout", "suppress", "blacklist",
    "blocklist", "complain", "abgemeldet", "abmeld", "desabonn", "desinscri", "bajas", "descadastr",
    "退会", "解除",
)  # fmt: skip


@dataclass(frozen=True)
class Survey:
    """What a list says of itself: where it says who left, the order of its dates, and questions.

    - `quiet`: columns that could say who left, and say of everybody that they did not.
    - `says_left`: it says of somebody that they left.
    - `counts`: of how many of the rows read so far each column says that they left, bounced, …;
      `is_counted` if rows have been read.
    """

    signs: Mapping[int, ColumnRole] = field(default_factory=dict)
    orders: Orders = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    says_left: bool = False
    quiet: Mapping[int, ColumnRole] = field(default_factory=dict)
    counts: Mapping[int, Mapping[RowKind, int]] = field(default_factory=dict)
    is_counted: bool = False

    def counted(self, counts: Mapping[tuple[int, RowKind], int]) -> Survey:
        """Return the survey with the counts of more rows, by column and kind."""
        total = {index: dict(kinds) for index, kinds in self.counts.items()}
        for (index, kind), count in counts.items():
            kinds = total.setdefault(index, {})
            kinds[kind] = kinds.get(kind, 0) + count
        return replace(self, counts=total, is_counted=True)

    def as_json(self) -> dict[str, Any]:
        return {
            "signs": {str(index): asdict(role) for index, role in self.signs.items()},
            "orders": dict(self.orders),
            "says_left": self.says_left,
            "questions": [asdict(question) for question in self.questions],
            "quiet": {str(index): asdict(role) for index, role in self.quiet.items()},
            "counts": {str(index): dict(kinds) for index, kinds in self.counts.items()},
            "is_counted": self.is_counted,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Survey:
        return cls(
            _roles(data.get("signs", {})),
            {mark: DateOrder(order) for mark, order in data.get("orders", {}).items()},
            tuple(
                Question(
                    one["about"], one["column"], tuple(map(tuple, one["values"])), one["others"]
                )
                for one in data.get("questions", ())
            ),
            bool(data.get("says_left")),
            _roles(data.get("quiet", {})),
            {
                int(index): {RowKind(kind): count for kind, count in kinds.items()}
                for index, kinds in data.get("counts", {}).items()
            },
            bool(data.get("is_counted")),
        )


def _roles(data: Mapping[str, Any]) -> dict[int, ColumnRole]:
    return {
        int(index): ColumnRole(Role(one["role"]), RowKind(one["kind"]), one["is_certain"])
        for index, one in data.items()
    }


class OpenQuestions(UnreadableFile):
    """A list that cannot be imported before the operator answers; nothing of it is stored."""

    def __init__(self, survey: Survey, questions: Sequence[Question]) -> None:
        super().__init__(" ".join(question.sentence() for question in questions))
        self.survey, self.questions = survey, questions


def take_survey(
    header: Sequence[str],
    columns: Mapping[Field, int],
    preset: Preset,
    records: Iterable[CsvRecord | Refusal],
    *,
    file_name: str = "",
) -> Survey:
    """Return what the records say, in one pass and in memory that does not grow with the list."""
    tallies = _tallies(header, columns, preset)
    dates = [
        _Dates(columns[one], asks=one is Field.CONFIRMED_AT) for one in _DATED if one in columns
    ]
    watching: list[_Tally | _Dates] = [*tallies, *dates]
    for record in records if watching else ():
        if isinstance(record, Refusal):
            continue
        line, values = record
        width = len(values)
        is_closed = False
        for one in watching:
            if one.index >= width or (value := values[one.index]) in one.settled:
                continue
            is_closed |= not one.add(value, line)
        if is_closed and not (watching := [one for one in watching if not one.is_closed]):
            break
    for one in tallies:
        one.close()
    telling = [one for one in tallies if not one.is_closed]
    # A column that calls everybody a reader need not be read again.
    found = {one.index: one.role for one in telling if one.says_more or one.values}
    quiet = {one.index: one.role for one in telling if one.is_named and one.index not in found}
    questions = [one.question() for one in telling if one.values]
    says_left = any(one.says_left for one in telling)
    if _is_called_for_leaving(file_name) and not says_left:
        questions.append(Question("file", file_name))
    orders, open_dates = _orders(dates)
    return Survey(found, orders, (*questions, *open_dates), says_left, quiet)


def sign_columns(
    survey: Survey,
    header: Sequence[str],
    columns: Mapping[Field, int],
    preset: Preset,
    answers: Answers,
) -> list[SignColumn]:
    """Return the columns that say who left, as rows are read with them."""
    return [
        _sign_column(header, index, role, columns, preset, answers)
        for index, role in survey.signs.items()
        if plain(column_name(header, index)) not in answers.ignored
    ]


def _sign_column(
    header: Sequence[str],
    index: int,
    role: ColumnRole,
    columns: Mapping[Field, int],
    preset: Preset,
    answers: Answers = NO_ANSWERS,
) -> SignColumn:
    is_status = columns.get(Field.STATUS) == index
    name = column_name(header, index)
    statuses = preset.statuses if is_status else {}
    return SignColumn(name, index, role, statuses, answers.of_column(name))


def column_name(header: Sequence[str], index: int) -> str:
    """Return what the header calls the column, as questions and answers name it."""
    return header[index].strip("\ufeff\"' ") or f"column {index + 1}" if index < len(header) else ""


def _is_called_for_leaving(file_name: str) -> bool:
    first = plain(file_name).replace(" ", "")
    return first.startswith(_FILE_WORDS)


class _Tally:
    """The values of one column: those not understood if it has a telling name, or else all.

    `settled` are values of which nothing more is to be learned.
    """

    def __init__(self, column: SignColumn, *, is_named: bool) -> None:
        self.column, self.index, self.role = column, column.index, column.role
        self.is_named = is_named
        self.is_closed = False
        self.says_left = self.says_more = False
        self.values: dict[str, int] = {}
        self.settled: set[str] = set() if "" in column.statuses else {""}
        self.others = 0
        self._understood = False
        self._blank = 0

    def add(self, value: str, line: int) -> bool:
        """Count the value; return False if the column turns out to be no status."""
        if self.is_named:
            self._add_named(value)
        elif value in self.values:
            self.values[value] += 1
        elif len(self.values) == MOST_VALUES or not meanings.is_short(value):
            self.is_closed = True
            return False
        else:
            self.values[value] = 1
        return True

    def _add_named(self, value: str) -> None:
        kind = self.column.kind(value)
        if not value:
            self._blank += 1
            self.says_more = True
            return
        if kind is not None:
            self.says_left = self.says_left or meanings.has_left(kind)
            self.says_more = self.says_more or kind is not RowKind.READER
            self._understood = self._understood or plain(value) != ""
            if len(self.settled) < MOST_VALUES:
                self.settled.add(value)
            return
        if meanings.may_mean_leaving(value):
            self._understood = True
        if value in self.values or len(self.values) < ASKED_VALUES:
            self.values[value] = self.values.get(value, 0) + 1
        else:
            self.others += 1

    def close(self) -> None:
        """Decide, at the end of the list, whether the column says who left and what is open."""
        if self.is_closed:
            return
        if self.is_named:
            self.is_closed = not (self.role.is_certain or self._understood)
            if self._blank and "" in self.column.statuses and not self._understood:
                self.values[""] = self._blank  # everybody would have left
            return
        kinds = {value: self.column.understood(value) for value in self.values}
        left = [value for value, kind in kinds.items() if kind and meanings.has_left(kind)]
        clear = any(map(meanings.is_leaving_word, left))
        unknown = [value for value, kind in kinds.items() if kind is None]
        if self.role.role is Role.TEXT:
            # Notes that hold nothing but such words are perhaps no notes.
            self.is_closed, unknown = not clear or bool(unknown), left
        elif not clear and not any(map(meanings.looks_like_leaving, unknown)):
            # Nothing but words such as cancelled, of which nobody knows what they are about.
            self.is_closed, unknown = not left or bool(unknown), left
        self.says_left = clear and not self.is_closed
        self.says_more = any(kind is not RowKind.READER for kind in kinds.values())
        self.values = {value: self.values[value] for value in unknown}

    def question(self) -> Question:
        ordered = sorted(self.values.items(), key=lambda item: -item[1])
        shown = tuple((value[:80], count) for value, count in ordered[:ASKED_VALUES])
        others = self.others + sum(count for _, count in ordered[ASKED_VALUES:])
        return Question("column", self.column.name, shown, others)


def _tallies(header: Sequence[str], columns: Mapping[Field, int], preset: Preset) -> list[_Tally]:
    personal = {columns[one] for one in _PERSONAL if one in columns}
    tallies = []
    for index, name in enumerate(header):
        if index in personal or plain(name) in preset.no_signs:
            continue
        role = role_of(name)
        is_chosen = index in (columns.get(Field.STATUS), columns.get(Field.LEFT_AT))
        if role.role is Role.ELSEWHERE and not is_chosen:
            continue
        if index == columns.get(Field.STATUS) and role.role in _SILENT:
            role = ColumnRole(Role.STATUS)
        elif index == columns.get(Field.LEFT_AT) and role.role is not Role.LEFT:
            role = ColumnRole(Role.LEFT)
        column = _sign_column(header, index, role, columns, preset)
        is_named = role.role not in (Role.OTHER, Role.TEXT)
        tallies.append(_Tally(column, is_named=is_named))
    return tallies


class _Dates:
    """Which order the dates of one column have, for each character between their numbers."""

    is_closed = False
    settled = frozenset({""})

    def __init__(self, index: int, *, asks: bool) -> None:
        self.index, self.asks = index, asks
        self.found: dict[str, set[DateOrder]] = {}
        self.open: dict[str, list[tuple[str, int]]] = {}

    def add(self, value: str, line: int) -> bool:
        if value[:4].isdecimal():
            return True  # 2021-03-04, and all that begins with a long number
        found = order_of(value)
        if found is None:
            return True
        mark, order = found
        if order:
            self.found.setdefault(mark, set()).add(order)
        elif len(examples := self.open.setdefault(mark, [])) < 3:
            examples.append((value[:40], line))
        return True


def _orders(dates: Sequence[_Dates]) -> tuple[dict[str, DateOrder], list[Question]]:
    orders: dict[str, DateOrder] = {}
    questions = []
    for mark in "/-":
        found = {order for one in dates for order in one.found.get(mark, ())}
        # Only a confirmation is worth a question; a date of signing up is left out, and reported.
        examples = [it for one in dates if one.asks for it in one.open.get(mark, ())]
        if len(found) == 1:
            orders[mark] = found.pop()
        elif examples:
            questions.append(Question("dates", mark, tuple(examples[:3])))
    return orders, questions
