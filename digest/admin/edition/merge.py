"""Put what an editor changed on their page onto what is saved by now.

The page carries each value as it was shown (Django's show_hidden_initial). So it is known which
fields the editor changed; every other one is shown, and stays, as it is saved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict

from digest.editions.edit import curate

# What an editor types for a story, beside its position.
TEXTS = ("headline", "summary", "section")


class MergedField(forms.BoundField):
    """A field that knows its value on the editor's page, the saved one, and the editor's."""

    def value(self) -> Any:
        if self.form.is_bound and self.name not in self.form.changed_data:
            return self.field.prepare_value(self.initial)
        return super().value()

    def as_hidden(self, attrs: Any = None, *, only_initial: bool = False, **kwargs: Any) -> Any:
        if not only_initial:
            return super().as_hidden(attrs, **kwargs)
        # Django would repeat what the page had. This page shows what is saved now.
        value = self.field.prepare_value(self.initial)
        return self.field.hidden_widget().render(
            self.html_initial_name, value, {"id": self.html_initial_id}, self.form.renderer
        )

    @property
    def was_changed(self) -> bool:
        """Whether somebody else has saved another value since the page was shown."""
        hidden = self.field.hidden_widget()
        form = self.form
        return self._differs(
            hidden.value_from_datadict(form.data, form.files, self.html_initial_name)
        )

    @property
    def replaces(self) -> bool:
        """Whether saving the editor's value undoes what somebody else has saved."""
        is_edited = self.name in self.form.changed_data
        return is_edited and self.was_changed and self._differs(self.data)

    def _differs(self, data: Any) -> bool:
        """Whether this is not what is saved; browsers change line ends."""
        if isinstance(self.initial, str):
            return self.initial.split() != (data or "").split()
        return bool(self.field.has_changed(self.initial, data))


class MergedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form of which only the fields that the editor changed have the editor's values."""

    bound_field_class = MergedField
    MERGED: ClassVar[tuple[str, ...]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.MERGED) & set(self.fields):
            self.fields[name].show_hidden_initial = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in (set(self.MERGED) & set(cleaned)) - set(self.changed_data):
            cleaned[name] = getattr(self.instance, name)
        return cleaned


@dataclass(frozen=True)
class GoneRow:
    """A story of the editor's page that somebody else has removed, and what was typed for it."""

    story_id: int | None
    typed: list[str]


@dataclass(frozen=True)
class Rows:
    """A formset's data with the saved stories in them, in the order that the editor wants.

    `replaces_order` says whether that order undoes somebody else's.
    """

    data: Any
    gone: list[GoneRow]
    replaces_order: bool = False


def merge_rows(data: QueryDict, *, prefix: str, saved: list[int]) -> Rows:
    """Return the rows of the items in `saved`, which are in their printed order.

    Rows of items that are gone are left out, and items that the page did not have get a row. The
    saved order holds unless the editor moved something.
    """
    posted = _posted(data, prefix)
    shown = sorted(posted, key=lambda pk: posted[pk].shown)
    if shown == saved:
        return Rows(data, [])
    places = {pk: row.typed for pk, row in posted.items() if row.typed != row.shown}
    wanted = curate.move_to_places(shown, places) if places else saved
    kept = [pk for pk in wanted if pk in saved]
    order = kept + [pk for pk in saved if pk not in kept]
    saved_too = [pk for pk in saved if pk in posted]
    was_moved = saved_too != [pk for pk in shown if pk in saved]
    gone = [_gone(data, prefix, row) for pk, row in posted.items() if pk not in saved]
    return Rows(
        _in_order(data, prefix, posted, order, saved),
        gone,
        replaces_order=bool(places) and was_moved and kept != saved_too,
    )


@dataclass(frozen=True)
class _Row:
    index: int
    shown: int
    typed: int


def _posted(data: QueryDict, prefix: str) -> dict[int, _Row]:
    rows: dict[int, _Row] = {}
    count = _number(data.get(f"{prefix}-INITIAL_FORMS")) or 0
    for index in range(min(count, len(data))):
        pk = _number(data.get(f"{prefix}-{index}-id"))
        if pk is None:
            continue
        shown = _number(data.get(f"initial-{prefix}-{index}-position")) or index + 1
        typed = _number(data.get(f"{prefix}-{index}-position"))
        rows[pk] = _Row(index, shown, shown if typed is None else typed)
    return rows


def _in_order(
    data: QueryDict, prefix: str, posted: dict[int, _Row], order: list[int], saved: list[int]
) -> QueryDict:
    """Return the data with one row for each item of `order`, numbered anew."""
    of_a_row = re.compile(rf"(initial-)?{re.escape(prefix)}-([0-9]+)-")
    index_of = {str(row.index): order.index(pk) for pk, row in posted.items() if pk in order}
    merged = QueryDict(mutable=True)
    for name, values in data.lists():
        match = of_a_row.match(name)
        if match is None:
            merged.setlist(name, values)
        elif match[2] in index_of:
            new = f"{match[1] or ''}{prefix}-{index_of[match[2]]}-{name[match.end() :]}"
            merged.setlist(new, values)
    for index, pk in enumerate(order):
        merged[f"{prefix}-{index}-id"] = str(pk)
        merged[f"{prefix}-{index}-position"] = str(index + 1)
        merged[f"initial-{prefix}-{index}-position"] = str(saved.index(pk) + 1)
    merged[f"{prefix}-INITIAL_FORMS"] = merged[f"{prefix}-TOTAL_FORMS"] = str(len(order))
    return merged


def _gone(data: QueryDict, prefix: str, row: _Row) -> GoneRow:
    names = [f"{prefix}-{row.index}-{name}" for name in TEXTS]
    texts = [((data.get(n) or "").split(), (data.get(f"initial-{n}") or "").split()) for n in names]
    typed = [name for name, (mine, shown) in zip(TEXTS, texts, strict=True) if mine != shown]
    return GoneRow(_number(data.get(f"{prefix}-{row.index}-story")), typed)


def _number(text: Any) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text or "") else None
