"""Turn a record of a list into what it says about a reader."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from subscribers.transfer.presets import Field, Preset, RowKind
from subscribers.transfer.signs.columns import SignColumn
from subscribers.transfer.signs.meanings import has_left, worst
from subscribers.transfer.spreadsheet import CsvRecord, Refusal

# A spreadsheet runs a value with such a beginning as a formula. An export puts an apostrophe first.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")
_QUOTES = "\"'“”\u2018\u2019"


class Row(NamedTuple):
    """One reader as the list describes them, before any check."""

    line: int
    email: str
    name: str = ""
    kind: RowKind = RowKind.READER
    timezone: str = ""
    language: str = ""
    signed_up_at: str = ""
    signed_up_ip: str = ""
    confirmed_at: str = ""
    confirmed_ip: str = ""
    left_at: str = ""
    why: str = ""


_UNCHANGED = [one for one in Field if one in Row._fields[4:]]
_NOTHING = [""] * len(_UNCHANGED)


@dataclass(frozen=True)
class ColumnMapping:
    """How records are read: which column holds what, and what kind of people the rows are.

    `kind` is what each row is unless one of the `signs` says that its person left; with `is_fixed`
    it is that whatever they say.
    """

    columns: Mapping[Field, int]
    kind: RowKind = RowKind.READER
    signs: Sequence[SignColumn] = ()
    is_fixed: bool = False
    lenient: bool = False
    # How many of the rows read so far a column made somebody else than a reader, by its index.
    counts: Counter[tuple[int, RowKind]] = field(default_factory=Counter, init=False)

    @classmethod
    def from_preset(
        cls, preset: Preset, columns: Mapping[Field, int], *, kind: RowKind | None = None
    ) -> ColumnMapping:
        """Read the columns as the preset does; `kind` overrides what the rows say they are.

        But nobody becomes a reader of whom a row says that they left.
        """
        is_fixed = kind is not None and has_left(kind)
        return cls(columns, kind or preset.default_kind, (), is_fixed, preset.lenient)

    def with_signs(self, found: Sequence[SignColumn]) -> ColumnMapping:
        """Read the signs, too. A row without one stays what each row of the list is."""
        return self if self.is_fixed else replace(self, signs=found)

    @property
    def has_confirmations(self) -> bool:
        """Whether the list has confirmation dates; a missing date then says something, too."""
        return Field.CONFIRMED_AT in self.columns

    def rows(self, records: Iterable[CsvRecord | Refusal]) -> Iterator[Row | Refusal]:
        email = self.columns[Field.EMAIL]
        signs = _Signs(self.signs)
        # The indexes in a Row, and the columns whose values go there unchanged.
        unchanged = [
            (Row._fields.index(one), self.columns[one]) for one in _UNCHANGED if one in self.columns
        ]
        for record in records:
            if isinstance(record, Refusal):
                yield record
                continue
            line, values = record
            width = len(values)  # a record may end before its last columns
            address = values[email] if email < width else ""
            kind = self._kind(values, signs)
            if isinstance(kind, str) and not isinstance(kind, RowKind):
                yield Refusal(line, address[:254], kind)
                continue
            found = [
                line,
                unescape_formula(_unquoted(address)),
                unescape_formula(self._name(values)),
                kind,
                *_NOTHING,
            ]
            for index, column in unchanged:
                if column < width:
                    found[index] = values[column]
            yield Row._make(found)

    def _name(self, values: list[str]) -> str:
        width = len(values)
        name = self.columns.get(Field.NAME, width)
        if name < width and values[name]:
            return values[name]
        places = [self.columns.get(one, width) for one in (Field.FIRST_NAME, Field.LAST_NAME)]
        return " ".join(values[place] for place in places if place < width)

    def _kind(self, values: list[str], signs: _Signs) -> RowKind | str:
        """Return who the row says it is about, or why that cannot be told."""
        found = self.kind
        if self.is_fixed:
            return found
        width = len(values)
        for sign in signs.of_record(width):
            value = values[sign.index] if sign.index < width else ""
            kind = sign.kind(value)
            if kind is None:
                return f"{value[:40]!r} in {sign.name!r} is not a known status"
            if kind is not RowKind.READER:
                self.counts[sign.index, kind] += 1
                found = worst((found, kind))
        return found


class _Signs:
    """The columns of signs, of which a short record costs no more than it has fields."""

    def __init__(self, signs: Sequence[SignColumn]) -> None:
        self.all = sorted(signs, key=lambda one: one.index)
        self.places = [one.index for one in self.all]
        self.told_by_blank = [one for one in self.all if one.kind("") is not RowKind.READER]

    def of_record(self, width: int) -> list[SignColumn]:
        """Return the columns that say something of a record with so many fields."""
        if not self.places or self.places[-1] < width:
            return self.all
        beyond = [one for one in self.told_by_blank if one.index >= width]
        return self.all[: bisect_left(self.places, width)] + beyond


def _unquoted(value: str) -> str:
    """Return an address without the quotation marks that a second program has put around it."""
    is_formula = value[:1] == "'" and value[1:2] in FORMULA_PREFIXES
    return value if is_formula or value[:1] not in _QUOTES else value.strip(_QUOTES)


def unescape_formula(value: str) -> str:
    """Return the value without the apostrophe that an export puts before a formula."""
    return value[1:] if value[:1] == "'" and value[1:2] in FORMULA_PREFIXES else value
