"""Look at a whole list before its first row is stored: who has left, and how dates are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import takewhile
from typing import Any

from subscribers.transfer.dates import DateOrder, Orders, order_of
from subscribers.transfer.file_names import is_called_for_leaving, is_called_for_unconfirmed
from subscribers.transfer.presets import Field, Preset, RowKind
from subscribers.transfer.questions import Answers, Question
from subscribers.transfer.signs.columns import MENTIONS, SignColumn
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.meanings import has_left, is_leaving_word
from subscribers.transfer.signs.mentions import is_heading
from subscribers.transfer.signs.roles import ColumnRole, Role
from subscribers.transfer.spreadsheet import CsvRecord, Refusal
from subscribers.transfer.tally import NAMED, Tally, column_name, sign_column, tallies_of
from subscribers.transfer.unpacking import UnreadableFile

_SHOWN_HEADINGS = 3
# Each is a part of the page that an operator answers, and stored with each batch.
_MOST_QUESTIONS = 50
_DATED = (Field.CONFIRMED_AT, Field.SIGNED_UP_AT, Field.LEFT_AT)


@dataclass(frozen=True)
class Survey:
    """What a list says of itself: where it says who left, the order of its dates, and questions.

    - `quiet`: columns that could say who left, and say of everybody that they did not.
    - `counts`: of how many of the rows read so far each column says that they left, bounced, …;
      `is_counted` if rows have been read.
    """

    signs: Mapping[int, ColumnRole] = field(default_factory=dict)
    orders: Orders = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
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
    """Return what the records say, in one pass and in memory that does not grow with the list.

    Raises:
        UnreadableFile: more columns than anybody answers for are not understood.
    """
    tallies = tallies_of(header, columns, preset)
    dates = [
        _Dates(columns[one], asks=one is Field.CONFIRMED_AT) for one in _DATED if one in columns
    ]
    headings = _Headings(header, columns)
    silent = _SilentRows(headings.index, tallies)
    asks_silent = has_left(preset.default_kind) or is_called_for_leaving(file_name)
    watching: list[Tally | _Dates] = sorted([*tallies, *dates], key=lambda one: one.index)
    for record in records:
        if isinstance(record, Refusal):
            continue
        line, values = record
        width = len(values)
        if headings.index < width and headings.add(values, line):
            continue
        if asks_silent:
            silent.add(values, line)
        for one in watching:
            if one.index >= width:
                break  # a short record costs no more than it has fields
            if (value := values[one.index]) not in one.settled:
                one.add(value, line)
    for one in tallies:
        one.close()
    telling = [one for one in tallies if not one.is_closed]
    # A column that calls everybody a reader need not be read again.
    found = {one.index: one.role for one in telling if one.says_more or one.values}
    quiet = {
        one.index: one.role
        for one in telling
        if one.is_named and one.index not in found and one.role.role not in MENTIONS
    }
    questions = [one.question() for one in telling if one.values]
    if len(questions) > _MOST_QUESTIONS:
        raise UnreadableFile(
            f"{len(questions):,} columns seem to say who has left, and are not understood: from "
            f"“{questions[0].column[:40]}” to “{questions[-1].column[:40]}”. Leave out those that "
            "do not say it."
        )
    if headings.found:
        name = column_name(header, headings.index)
        questions.append(Question("heading", name, tuple(headings.found)))
    says_left = any(one.says_left for one in telling)
    if says_left and silent.count:
        name = preset.label if has_left(preset.default_kind) else file_name
        questions.append(Question("rows", "", ((name, silent.first),), silent.count))
    elif is_called_for_leaving(file_name) and not says_left:
        questions.append(Question("file", file_name))
    if (
        is_called_for_unconfirmed(file_name)
        and Field.CONFIRMED_AT not in columns
        and not any(one.says_unconfirmed for one in telling)
    ):
        questions.append(Question("unconfirmed", file_name))
    orders, open_dates = _orders(dates)
    return Survey(found, orders, (*questions, *open_dates), quiet)


def sign_columns(
    survey: Survey,
    header: Sequence[str],
    columns: Mapping[Field, int],
    preset: Preset,
    answers: Answers,
) -> list[SignColumn]:
    """Return the columns that say who left, as rows are read with them."""
    return [
        sign_column(header, index, role, columns, preset, answers)
        for index, role in survey.signs.items()
        if plain(column_name(header, index)) not in answers.ignored
    ]


class _Headings:
    """Lines in the midst of a list that are no rows, below which others than readers may stand."""

    def __init__(self, header: Sequence[str], columns: Mapping[Field, int]) -> None:
        self.index = columns.get(Field.EMAIL, 0)
        # The header of a second file: lists are put together from one of readers and one of others.
        self.own_name = plain(column_name(header, self.index))
        self.places = {0, *(columns[one] for one in NAMED if one in columns)}
        self.found: list[tuple[str, int]] = []

    def add(self, values: Sequence[str], line: int) -> bool:
        """Return whether the record is one; nearly all have an address, and are none."""
        if "@" in values[self.index]:
            return False
        cells = [values[place] for place in self.places if place < len(values)]
        is_alone = sum(map(bool, values)) == sum(map(bool, cells))
        found = cells if is_alone else [values[self.index]]
        is_header = plain(values[self.index]) == self.own_name != ""
        if not is_header and not is_heading(found):
            return False
        if len(self.found) < _SHOWN_HEADINGS:
            self.found.append((next(filter(None, found))[:80], line))
        return True


class _SilentRows:
    """The rows of a list of people who left that say nothing: somebody may have put readers in.

    Services leave such cells empty, too, so neither all nor none of these rows are readers.
    """

    def __init__(self, address: int, tallies: Sequence[Tally]) -> None:
        self.address = address
        self.columns = [one.column for one in tallies if one.role.role not in MENTIONS]
        self.count = self.first = 0

    def add(self, values: Sequence[str], line: int) -> None:
        if self.address >= len(values) or "@" not in values[self.address]:
            return
        columns = takewhile(lambda one: one.index < len(values), self.columns)
        if not any(_is_told(one, value) for one in columns if (value := values[one.index])):
            self.count += 1
            self.first = self.first or line


def _is_told(column: SignColumn, value: str) -> bool:
    """Whether the value says that somebody left or, as "0" or "active" does, that they did not."""
    if column.role.role is Role.OTHER:
        return is_leaving_word(value)
    return column.kind(value) is not None


class _Dates:
    """Which order the dates of one column have, for each character between their numbers."""

    settled = frozenset({""})

    def __init__(self, index: int, *, asks: bool) -> None:
        self.index, self.asks = index, asks
        self.found: dict[str, set[DateOrder]] = {}
        self.open: dict[str, list[tuple[str, int]]] = {}

    def add(self, value: str, line: int) -> None:
        if value[:4].isdecimal():
            return  # 2021-03-04, and all that begins with a long number
        found = order_of(value)
        if found is None:
            return
        mark, order = found
        if order:
            self.found.setdefault(mark, set()).add(order)
        elif len(examples := self.open.setdefault(mark, [])) < 3:
            examples.append((value[:40], line))


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
