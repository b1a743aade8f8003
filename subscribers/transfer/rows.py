"""Turn a record of a list into what it says of a reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from subscribers.transfer.presets import Field, Kind, Preset
from subscribers.transfer.spreadsheet import Record, Refusal

# A spreadsheet takes what begins so for a formula; an export puts an apostrophe before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Row(NamedTuple):
    """One reader as the list has them, nothing checked."""

    line: int
    email: str
    name: str = ""
    timezone: str = ""
    language: str = ""
    kind: Kind = Kind.READER
    signed_up_at: str = ""
    signed_up_ip: str = ""
    confirmed_at: str = ""
    confirmed_ip: str = ""
    left_at: str = ""
    why: str = ""


@dataclass(frozen=True)
class Reading:
    """How records are read: which column holds what, and what the list is a list of.

    `statuses` is what the status column's values mean; `kind` is what each row is without one.
    """

    columns: Mapping[Field, int]
    kind: Kind = Kind.READER
    statuses: Mapping[str, Kind] = field(default_factory=dict)
    lenient: bool = False

    @classmethod
    def of(
        cls, preset: Preset, columns: Mapping[Field, int], *, kind: Kind | None = None
    ) -> Reading:
        """As the preset reads these columns; `kind` is what every row is, whatever they say."""
        if kind:
            return cls(columns, kind, lenient=preset.lenient)
        return cls(columns, preset.rows, preset.statuses, preset.lenient)

    @property
    def has_confirmations(self) -> bool:
        """Whether the list says when each reader confirmed; then its silence says something too."""
        return Field.CONFIRMED_AT in self.columns

    def rows(self, records: Iterable[Record | Refusal]) -> Iterator[Row | Refusal]:
        email = _getter(self.columns.get(Field.EMAIL))
        name, kind = self._name(), self._kind()
        others = [
            _getter(self.columns.get(one))
            for one in (
                Field.SIGNED_UP_AT, Field.SIGNED_UP_IP, Field.CONFIRMED_AT, Field.CONFIRMED_IP,
                Field.LEFT_AT, Field.WHY,
            )
        ]  # fmt: skip
        zone, language = (_getter(self.columns.get(o)) for o in (Field.TIMEZONE, Field.LANGUAGE))
        for record in records:
            if isinstance(record, Refusal):
                yield record
                continue
            line, values = record
            what = kind(values)
            if what is None:
                said = _getter(self.columns.get(Field.STATUS))(values)
                reason = f"{said[:40]!r} is not a status that we know"
                yield Refusal(line, email(values)[:254], reason)
                continue
            yield Row(
                line, plain(email(values)), plain(name(values)), zone(values), language(values),
                what, *(other(values) for other in others),
            )  # fmt: skip

    def _name(self) -> Callable[[list[str]], str]:
        whole = _getter(self.columns.get(Field.NAME))
        if Field.FIRST_NAME not in self.columns and Field.LAST_NAME not in self.columns:
            return whole
        first, last = (
            _getter(self.columns.get(one)) for one in (Field.FIRST_NAME, Field.LAST_NAME)
        )
        return lambda values: whole(values) or f"{first(values)} {last(values)}".strip()

    def _kind(self) -> Callable[[list[str]], Kind | None]:
        place = self.columns.get(Field.STATUS)
        if place is None or not self.statuses:
            return lambda values: self.kind
        status = _getter(place)
        return lambda values: self.statuses.get(status(values).lower())


def plain(value: str) -> str:
    """Without the apostrophe that an export puts before what a spreadsheet would take for code."""
    return value[1:] if value[:1] == "'" and value[1:2] in FORMULA else value


def _getter(place: int | None) -> Callable[[list[str]], str]:
    if place is None:
        return lambda values: ""
    # A record may end before its last columns.
    return lambda values: values[place] if place < len(values) else ""
