"""What a list leaves open about who left and about its dates, and what the operator answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from subscribers.transfer.dates import DateOrder
from subscribers.transfer.presets import RowKind
from subscribers.transfer.signs.columns import ANY_VALUE
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.meanings import answer_key


@dataclass(frozen=True)
class Question:
    """What a list leaves open, for the operator to answer.

    `about` is "column", "dates", "heading", "rows", "file" or "unconfirmed". `values` are what is
    not understood, each with how often it is there; `others` counts the cells with still other
    values. For "dates" and "heading" they are examples, each with its line; for "rows" they are the
    list's name with the first line, and `others` counts the lines. `column` is the file's name if
    it is about that.
    """

    about: str
    column: str = ""
    values: tuple[tuple[str, int], ...] = ()
    others: int = 0

    def sentence(self) -> str:
        if self.about == "file":
            return (
                f"The file is called “{self.column}”, as if its rows were people who left or "
                "bounced, and none of its columns says so. Say what each row is."
            )
        if self.about == "unconfirmed":
            return (
                f"The file is called “{self.column}”, as if its rows were people who never "
                "confirmed, and none of its columns says so. Say that each row is a reader, or "
                "have each asked by mail."
            )
        if self.about == "rows":
            ((name, line),) = self.values
            return (
                f"The list seems to be one of people who left ({name}). Rows that say nothing "
                f"of it: {self.others:,}, the first in line {line}. Say what each row is: people "
                "who left, or readers unless the row says that they left."
            )
        if self.about in ("dates", "heading"):
            shown = ", ".join(f"“{value}” in line {line}" for value, line in self.values)
        if self.about == "heading":
            return (
                "The list has a line that is no row, and the rows below it may be people who left: "
                f"{shown}. Put these rows into a file of their own, or say that the line says "
                "nothing of them."
            )
        if self.about == "dates":
            return (
                f"The dates do not tell whether the day or the month comes first: {shown}. "
                "Say which."
            )
        shown = ", ".join(f"“{value}” ({count:,})" for value, count in self.values)
        more = f", and other values ({self.others:,})" if self.others else ""
        return (
            f"Column “{self.column}” seems to say who has left, and this is not understood: "
            f"{shown}{more}. Say what it means, or that the column does not say who left."
        )


@dataclass(frozen=True)
class Answers:
    """What the operator said of the questions of one list.

    `means` has, for each column's name, what its values mean; the name "" stands for every column.
    """

    means: Mapping[str, Mapping[str, RowKind]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    dates: DateOrder | None = None

    def of_column(self, name: str) -> dict[str, RowKind]:
        return {**self.means.get("", {}), **self.means.get(plain(name), {})}

    def statement(self) -> str:
        """Return the answers as the evidence of an import keeps them; empty if there are none."""
        said = [
            f"{f'{column}: ' if column else ''}{value} means {kind}"
            for column, values in self.means.items()
            for value, kind in values.items()
        ]
        said += [f"{name} does not say who left" for name in sorted(self.ignored)]
        said += [f"dates are {self.dates}"] if self.dates else []
        return "; ".join(said)[:1000]

    def as_json(self) -> dict[str, Any]:
        means = {column: dict(values) for column, values in self.means.items()}
        return {"means": means, "ignored": sorted(self.ignored), "dates": self.dates}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Answers:
        means = {
            column: {value: RowKind(kind) for value, kind in values.items()}
            for column, values in data.get("means", {}).items()
        }
        order = data.get("dates")
        return cls(means, frozenset(data.get("ignored", ())), DateOrder(order) if order else None)

    def settle(self, question: Question) -> bool:
        """Return whether the question about a column or about dates is answered as a whole."""
        if question.about == "dates":
            return self.dates is not None
        if question.about == "heading":
            return plain(question.column) in self.ignored
        said = self.of_column(question.column)
        if plain(question.column) in self.ignored or ANY_VALUE in said:
            return True
        return not question.others and all(answer_key(one) in said for one, _ in question.values)


NO_ANSWERS = Answers()
