"""Turn a record of a list into what it says about a reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from subscribers.transfer.presets import Field, Preset, RowKind
from subscribers.transfer.spreadsheet import CsvRecord, Refusal

# A spreadsheet runs a value with such a beginning as a formula. An export puts an apostrophe first.
FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


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

    `statuses` says what the values of the status column mean. `kind` is what each row is if there
    is no such column.
    """

    columns: Mapping[Field, int]
    kind: RowKind = RowKind.READER
    statuses: Mapping[str, RowKind] = field(default_factory=dict)
    lenient: bool = False

    @classmethod
    def from_preset(
        cls, preset: Preset, columns: Mapping[Field, int], *, kind: RowKind | None = None
    ) -> ColumnMapping:
        """Read the columns as the preset does; `kind` overrides what the rows say they are."""
        if kind:
            return cls(columns, kind, lenient=preset.lenient)
        return cls(columns, preset.default_kind, preset.statuses, preset.lenient)

    @property
    def has_confirmations(self) -> bool:
        """Whether the list has confirmation dates; a missing date then says something, too."""
        return Field.CONFIRMED_AT in self.columns

    def rows(self, records: Iterable[CsvRecord | Refusal]) -> Iterator[Row | Refusal]:
        email = self.columns[Field.EMAIL]
        width = max(self.columns.values()) + 1
        # The indexes in a Row, and the columns whose values go there unchanged.
        unchanged = [
            (Row._fields.index(one), self.columns[one]) for one in _UNCHANGED if one in self.columns
        ]
        for record in records:
            if isinstance(record, Refusal):
                yield record
                continue
            line, values = record
            if len(values) < width:  # a record may end before its last columns
                values += [""] * (width - len(values))
            kind = self._kind(values)
            if kind is None:
                status = values[self.columns[Field.STATUS]][:40]
                reason = f"{status!r} is not a known status"
                yield Refusal(line, values[email][:254], reason)
                continue
            found = [
                line,
                unescape_formula(values[email]),
                unescape_formula(self._name(values)),
                kind,
                *_NOTHING,
            ]
            for index, column in unchanged:
                found[index] = values[column]
            yield Row._make(found)

    def _name(self, values: list[str]) -> str:
        if Field.NAME in self.columns and (name := values[self.columns[Field.NAME]]):
            return name
        parts = (Field.FIRST_NAME, Field.LAST_NAME)
        return " ".join(values[self.columns[one]] for one in parts if one in self.columns)

    def _kind(self, values: list[str]) -> RowKind | None:
        if not self.statuses or Field.STATUS not in self.columns:
            return self.kind
        return self.statuses.get(values[self.columns[Field.STATUS]].lower())


def unescape_formula(value: str) -> str:
    """Return the value without the apostrophe that an export puts before a formula."""
    return value[1:] if value[:1] == "'" and value[1:2] in FORMULA_PREFIXES else value
