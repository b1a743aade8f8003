"""Count the values of each column that may say who left, and find those not understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from subscribers.transfer.presets import Field, Preset, RowKind
from subscribers.transfer.questions import NO_ANSWERS, Answers, Question
from subscribers.transfer.signs import leaving_words, meanings
from subscribers.transfer.signs.columns import LONGEST_SHOWN, MENTIONS, SignColumn
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.roles import ColumnRole, Role, role_of

# A column with more values is no status, unless its name says that it is one; it holds notes.
MOST_VALUES = 60
# The values that a question names; the operator may answer for all others together.
ASKED_VALUES = 20
# What these fields hold cannot say that somebody left.
_PERSONAL = (
    Field.EMAIL, Field.NAME, Field.FIRST_NAME, Field.LAST_NAME, Field.LANGUAGE, Field.TIMEZONE,
    Field.SIGNED_UP_AT, Field.SIGNED_UP_IP, Field.CONFIRMED_AT, Field.CONFIRMED_IP,
)  # fmt: skip
# But these may have it beside them: Bo (abgemeldet).
NAMED = (Field.EMAIL, Field.NAME, Field.FIRST_NAME, Field.LAST_NAME)
# A column that the operator has chosen is a status, although its name does not say so.
_SILENT = (Role.OTHER, Role.TEXT, Role.TAGS, Role.ELSEWHERE)


def tallies_of(header: Sequence[str], columns: Mapping[Field, int], preset: Preset) -> list[Tally]:
    """Return a tally of each column of a list that may say who left."""
    personal = {columns[one] for one in _PERSONAL if one in columns}
    named = {columns[one] for one in NAMED if one in columns}
    tallies = []
    for index, name in enumerate(header):
        if index in named:
            column = sign_column(header, index, ColumnRole(Role.NAME), columns, preset)
            tallies.append(Tally(column, is_named=True))
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
        column = sign_column(header, index, role, columns, preset)
        tallies.append(Tally(column, is_named=role.role is not Role.OTHER))
    return tallies


def sign_column(
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


_JSON = frozenset("[{")


class Tally:
    """The values of one column: those not understood if it has a telling name, or else all.

    `settled` are values of which nothing more is to be learned.
    """

    def __init__(self, column: SignColumn, *, is_named: bool) -> None:
        self.column, self.index, self.role = column, column.index, column.role
        self.is_named, self.mentions = is_named, MENTIONS.get(column.role.role)
        self.is_closed = False
        self.says_left = self.says_more = self.says_unconfirmed = False
        self.values: dict[str, int] = {}
        self.settled: set[str] = set() if "" in column.statuses else {""}
        self.others = 0
        self._understood = False
        self._blank = self._ones = 0
        self._inactive: dict[str, int] = {}
        self._says_unsubscribed = False

    def add(self, value: str, line: int) -> None:
        """Count the value."""
        if value[:1] in _JSON and not (value := self.column.gist(value)):
            return
        if self.mentions:
            is_bare_address = "@" in value and " " not in value
            if is_bare_address or not self.mentions(value):
                return
            value = self.column.gist(value)
        if self.is_named:
            self._add_named(value)
        elif value in self.values:
            self.values[value] += 1
        elif len(self.values) == MOST_VALUES or not meanings.is_short(value):
            self._read_as_notes()
            self.add(value, line)
        else:
            self.values[value] = 1

    def _read_as_notes(self) -> None:
        """From here on look for notes that begin with a word of leaving, also among the first."""
        self.is_named, self.role = True, ColumnRole(Role.TEXT)
        self.column = replace(self.column, role=self.role, _known={})
        self.mentions = MENTIONS[Role.TEXT]
        self.values = {one: count for one, count in self.values.items() if self.mentions(one)}

    def _add_named(self, value: str) -> None:
        kind = self.column.kind(value)
        if not value:
            self._blank += 1
            self.says_more = True
            return
        if kind is not None:
            self.says_left = self.says_left or meanings.has_left(kind)
            self.says_more = self.says_more or kind is not RowKind.READER
            self.says_unconfirmed = self.says_unconfirmed or kind is RowKind.UNCONFIRMED
            self._understood = self._understood or plain(value) != ""
            if not self._note_doubtful(value, kind) and len(self.settled) < MOST_VALUES:
                self.settled.add(value)
            return
        if meanings.may_mean_leaving(value):
            self._understood = True
        if value in self.values or len(self.values) < ASKED_VALUES:
            self.values[value] = self.values.get(value, 0) + 1
        else:
            self.others += 1

    def _note_doubtful(self, value: str, kind: RowKind) -> bool:
        """Count a value that means something else if certain others stand in the same column."""
        word = plain(value)
        if value == "1" and self.role.role is Role.LEFT:
            self._ones += 1
        elif word in leaving_words.INACTIVE and value.lower() not in self.column.statuses:
            self._inactive[value] = self._inactive.get(value, 0) + 1
        else:
            if kind is RowKind.UNSUBSCRIBED and meanings.is_leaving_word(value):
                self._says_unsubscribed = True
            return False
        return True

    def _ask_doubtful(self) -> None:
        if self._ones and any(value.isdecimal() for value in self.values):
            self.values["1"] = self._ones  # a count: one of how many
        if self._says_unsubscribed:
            # Who says unsubscribed means something else by inactive, as MailPoet does.
            self.values |= self._inactive

    def close(self) -> None:
        """Decide, at the end of the list, whether the column says who left and what is open."""
        if self.is_closed:
            return
        if self.is_named:
            self.is_closed = not (self.role.is_certain or self._understood)
            self._ask_doubtful()
            if self._blank and "" in self.column.statuses and not self._understood:
                self.values[""] = self._blank  # everybody would have left
            return
        kinds = {value: self.column.understood(value) for value in self.values}
        left = [value for value, kind in kinds.items() if kind and meanings.has_left(kind)]
        clear = any(
            meanings.is_leaving_word(one) or meanings.looks_like_leaving(one) for one in left
        )
        unknown = [value for value, kind in kinds.items() if kind is None]
        if not clear and not any(map(meanings.looks_like_leaving, unknown)):
            # Nothing but words such as cancelled, of which nobody knows what they are about.
            self.is_closed, unknown = not left or bool(unknown), left
        self.says_left = clear and not self.is_closed
        self.says_more = any(kind is not RowKind.READER for kind in kinds.values())
        self.says_unconfirmed = RowKind.UNCONFIRMED in kinds.values()
        self.values = {value: self.values[value] for value in unknown}

    def question(self) -> Question:
        ordered = sorted(self.values.items(), key=lambda item: -item[1])
        shown = tuple((value[:LONGEST_SHOWN], count) for value, count in ordered[:ASKED_VALUES])
        others = self.others + sum(count for _, count in ordered[ASKED_VALUES:])
        return Question("column", self.column.name, shown, others)
