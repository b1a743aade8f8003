"""The form with which an operator answers what a list leaves open: who left, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget

from subscribers.models import ImportJob
from subscribers.transfer.dates import DateOrder
from subscribers.transfer.presets import RowKind
from subscribers.transfer.questions import Answers, Question
from subscribers.transfer.signs.columns import ANY_VALUE
from subscribers.transfer.signs.leaving_words import plain
from subscribers.transfer.signs.meanings import answer_key

_MEANINGS = [
    ("", "Say what it means"),
    (RowKind.READER, "a reader"),
    (RowKind.UNCONFIRMED, "never confirmed"),
    (RowKind.UNSUBSCRIBED, "unsubscribed"),
    (RowKind.CLEANED, "bounced"),
    (RowKind.COMPLAINED, "complained"),
    (RowKind.BLOCKED, "blocked"),
    ("ignore", "this column does not say who left"),
]
_HEADINGS = [
    ("", "Say what it means"),
    ("ignore", "it says nothing of the rows below it"),
]
_ORDERS = [
    ("", "Say which comes first"),
    (DateOrder.DMY, "the day: 31/12/2020"),
    (DateOrder.MDY, "the month: 12/31/2020"),
]


# The form of the columns answers these: each row is a reader, or somebody who left.
_ABOUT_ALL_ROWS = frozenset({"file", "rows", "unconfirmed"})


@dataclass(frozen=True)
class QuestionPart:
    """A question in a sentence, with the fields that answer it."""

    sentence: str
    fields: list[Any]
    is_open: bool


class QuestionsForm(forms.Form):
    """One choice for each value that is not understood, and one for the order of dates.

    A question that is left open is no error here: the import asks it again before it stores a row.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        job: ImportJob,
        questions: Sequence[Question],
        is_open: Callable[[Question, Answers], bool],
    ) -> None:
        super().__init__(data)
        self.questions, self.is_open = questions, is_open
        self.given = given = Answers.from_json(job.answers or {})
        for question in self.questions:
            if question.about in _ABOUT_ALL_ROWS:
                continue
            if question.about == "dates":
                self._add("dates", "Dates such as 03/04/2021", _ORDERS, given.dates or "")
                continue
            is_ignored = plain(question.column) in given.ignored
            if question.about == "heading":
                label = "The line in the midst of the list"
                self._add("heading", label, _HEADINGS, "ignore" if is_ignored else "")
                continue
            said = given.of_column(question.column)
            for name, value, label in _fields(question):
                initial = "ignore" if is_ignored else said.get(_key(value), "")
                self._add(name, label, _MEANINGS, initial)

    def _add(self, name: str, label: str, choices: list[Any], initial: str) -> None:
        self.fields[name] = forms.ChoiceField(
            label=label, choices=choices, required=False, widget=UnfoldAdminSelectWidget
        )
        self.initial[name] = initial

    def answers(self) -> Answers:
        """Return what was chosen; a column is ignored if this is said of any of its values."""
        means: dict[str, dict[str, RowKind]] = {}
        ignored = set()
        for question in self.questions:
            if question.about == "heading" and self.cleaned_data.get("heading"):
                ignored.add(plain(question.column))
            if question.about != "column":
                continue
            for name, value, _ in _fields(question):
                chosen = self.cleaned_data.get(name, "")
                if chosen == "ignore":
                    ignored.add(plain(question.column))
                elif chosen:
                    column = means.setdefault(plain(question.column), {})
                    column[_key(value)] = RowKind(chosen)
        order = self.cleaned_data.get("dates", "")
        return Answers(means, frozenset(ignored), DateOrder(order) if order else None)

    def sections(self) -> Iterator[QuestionPart]:
        """Yield each question with the fields that answer it, and whether it is answered."""
        answers = self.answers() if self.is_bound and self.is_valid() else self.given
        for question in self.questions:
            is_open = self.is_open(question, answers)
            if question.about in _ABOUT_ALL_ROWS:
                if is_open:
                    yield QuestionPart(question.sentence(), [], is_open=True)
                continue
            is_about_column = question.about == "column"
            names = [one[0] for one in _fields(question)] if is_about_column else [question.about]
            says = question.sentence() if is_open else _settled(question, answers)
            yield QuestionPart(says, [self[name] for name in names], is_open=is_open)


def _settled(question: Question, answers: Answers) -> str:
    about = {
        "dates": "The order of day and month",
        "heading": "The line in the midst of the list",
    }.get(question.about, f"Column “{question.column}”")
    return f"{about}: {'answered' if answers.settle(question) else 'needs no answer'}."


def _fields(question: Question) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and label of the fields for a column's values."""
    values = [(value, f"“{value}”" if value else "an empty cell") for value, _ in question.values]
    if question.others:
        values.append((ANY_VALUE, "every other value"))
    for value, label in values:
        # The name stays the same if other questions come before this one after a change.
        number = crc32(f"{plain(question.column)}\0{value}".encode())
        yield f"means_{number:08x}", value, f"{question.column}: {label}"


def _key(value: str) -> str:
    return value if value == ANY_VALUE else answer_key(value)
