"""Read one column that may say who left, with the operator's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from subscribers.transfer.presets import RowKind
from subscribers.transfer.signs.json_cells import gist
from subscribers.transfer.signs.meanings import LONGEST_WORD, answer_key, meaning
from subscribers.transfer.signs.mentions import (
    begins_with_leaving,
    mentions_leaving,
    without_addresses,
)
from subscribers.transfer.signs.roles import ColumnRole, Role

# The values of a column whose meaning is remembered while a list is read.
_REMEMBERED = 2000
# The answer for every other value of a column.
ANY_VALUE = "*"
# In these only a word of leaving counts, and what it means is asked.
MENTIONS = {Role.NAME: mentions_leaving, Role.TEXT: begins_with_leaving}
# What a question shows of a value, and an answer is about.
LONGEST_SHOWN = 200


@dataclass(frozen=True)
class SignColumn:
    """A column in which a list says who left.

    - `statuses`: what its service means by a value, in lower case.
    - `answers`: what the operator said that a value means; ANY_VALUE stands for the others.
    """

    name: str
    index: int
    role: ColumnRole
    statuses: Mapping[str, RowKind] = field(default_factory=dict)
    answers: Mapping[str, RowKind] = field(default_factory=dict)
    _known: dict[str, RowKind | None] = field(default_factory=dict, compare=False, repr=False)

    def kind(self, value: str) -> RowKind | None:
        """Return what the cell says of its person; None if neither it nor an answer says it."""
        try:
            return self._known[value]
        except KeyError:
            pass
        word = self.gist(value)
        answers = self.answers
        found = (
            (answers.get(answer_key(word)) if answers else None)
            or self.understood(word)
            or answers.get(ANY_VALUE)
        )
        if len(self._known) < _REMEMBERED and len(value) <= LONGEST_WORD:
            self._known[value] = found
        return found

    def gist(self, value: str) -> str:
        """Return what of a cell is understood, asked about and answered."""
        if self.role.role is not Role.NAME:
            value = gist(value)
        if self.role.role in MENTIONS:
            value = without_addresses(value)[:LONGEST_SHOWN]
        return value

    def understood(self, value: str) -> RowKind | None:
        """Return what the cell means without the operator's answers."""
        if mentions := MENTIONS.get(self.role.role):
            return None if mentions(value) else RowKind.READER
        return self.statuses.get(value.lower()) or meaning(value, self.role)
