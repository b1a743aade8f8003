"""Say what each column of a list is read as, and of how many rows it says that they left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from subscribers.transfer.presets import Field, RowKind
from subscribers.transfer.questions import Answers
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.roles import ColumnRole, Role
from subscribers.transfer.survey import Survey
from subscribers.transfer.tally import column_name

_FIELDS = {
    Field.EMAIL: "the address",
    Field.NAME: "the name",
    Field.FIRST_NAME: "the first name",
    Field.LAST_NAME: "the last name",
    Field.LANGUAGE: "the language",
    Field.TIMEZONE: "the time zone",
    Field.STATUS: "the status",
    Field.SIGNED_UP_AT: "when somebody signed up",
    Field.SIGNED_UP_IP: "the network of the sign-up",
    Field.CONFIRMED_AT: "when somebody confirmed",
    Field.CONFIRMED_IP: "the network of the confirmation",
    Field.LEFT_AT: "when somebody left",
    Field.WHY: "why somebody left",
}
_LEAVING = {
    RowKind.UNSUBSCRIBED: "left",
    RowKind.CLEANED: "bounced",
    RowKind.COMPLAINED: "complained",
    RowKind.BLOCKED: "is blocked",
}
_ROLES = {
    Role.SUBSCRIBED: "who is subscribed",
    Role.CONFIRMED: "who has confirmed",
    Role.RECEIVES: "what somebody receives",
    Role.AGREES: "who agrees to get mail",
    Role.ENDED: "what has ended for somebody",
    Role.STATUS: "the status",
    Role.STATE_OF: "a status, perhaps of something else",
    Role.TAGS: "tags",
    Role.TEXT: "notes",
}
_COUNTED = {
    RowKind.UNSUBSCRIBED: "left",
    RowKind.CLEANED: "bounced",
    RowKind.COMPLAINED: "complained",
    RowKind.BLOCKED: "blocked",
    RowKind.UNCONFIRMED: "never confirmed",
}


@dataclass(frozen=True)
class ColumnReading:
    """What one column is read as.

    - `reading`: in words, such as “the status”; empty if the column is not used.
    - `says`: what it says of how many rows, such as “12 left, 3 bounced”; empty if it cannot say
      that somebody left, or if no row has been read yet.
    """

    column: str
    reading: str = ""
    says: str = ""

    def sentence(self) -> str:
        says = f"; {self.says}" if self.says else ""
        return f"Column “{self.column}” is read as {self.reading}{says}."


def column_report(
    header: Sequence[str],
    columns: Mapping[Field, int],
    survey: Survey,
    answers: Answers,
    *,
    is_fixed: bool = False,
) -> list[ColumnReading]:
    """Return what each column is read as, those that are not used last.

    `is_fixed`: the operator has said what each row is, so no column says who left.
    """
    fields = {index: _FIELDS[one] for one, index in columns.items()}
    roles = {} if is_fixed else {**survey.quiet, **survey.signs}
    found = []
    for index in range(len(header)):
        name = column_name(header, index)
        role = None if plain(name) in answers.ignored else roles.get(index)
        reading = fields.get(index) or (_reading(role) if role else "")
        says = ", ".join(_counts(survey.counts.get(index, {}))) or "nobody left"
        is_said = role is not None and survey.is_counted
        found.append(ColumnReading(name, reading, says if is_said else ""))
    return sorted(found, key=lambda one: not one.reading)


def rows_sentence(kind: RowKind) -> str:
    """Return what each row is read as that has no sign of its own; empty if it is a reader."""
    return f"Each row is read as a person who {_LEAVING[kind]}." if kind in _LEAVING else ""


def _reading(role: ColumnRole) -> str:
    if role.role is Role.LEFT:
        return f"who {_LEAVING.get(role.kind, 'left')}"
    if role.role is Role.REASON:
        return f"why somebody {_LEAVING.get(role.kind, 'left')}"
    return _ROLES.get(role.role, "a status, by its values")


def _counts(counts: Mapping[RowKind, int]) -> Iterator[str]:
    return (f"{counts[kind]:,} {word}" for kind, word in _COUNTED.items() if counts.get(kind))
