"""Offer proposals beside the fields for subject and preheader; a button fills the field."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextInputWidget

from digest.editions.draft.inbox_lines import preheaders_for, subjects_for
from digest.editions.draft.subject import PREHEADER_WIDTH, SUBJECT_WIDTH, width
from digest.models import Edition
from digest.rendering.contents import in_printed_order

_WIDTHS = {"subject": SUBJECT_WIDTH, "preheader": PREHEADER_WIDTH}


class ProposedTextInput(UnfoldAdminTextInputWidget):
    """A text field with proposals below it.

    Each is a button that puts its text into the field. Without JavaScript it also saves the form.
    """

    def __init__(self, *args: Any, proposals: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proposals = proposals

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        # What the field has already is a proposal only beside others.
        proposals = [] if self.proposals == [value] else self.proposals
        context = {
            "name": name,
            "label": self.attrs.get("aria-label") or name,
            "proposals": [
                {
                    "text": text,
                    "length": len(text),
                    "is_long": width(text) > _WIDTHS[name],
                    "is_in_use": text == value,
                }
                for text in proposals
            ],
        }
        field = super().render(name, value, attrs, renderer)
        return field + render_to_string("admin/digest/edition/proposals.html", context)


def propose_inbox_lines(fields: dict[str, Any], edition: Edition) -> None:
    """Put proposals beside the fields that the form has."""
    items = in_printed_order(list(edition.items.select_related("story")))
    headlines = [item.shown_headline for item in items]
    for name, found in (
        ("subject", subjects_for(edition, headlines)),
        ("preheader", preheaders_for(edition, headlines)),
    ):
        if name in fields:
            fields[name].widget = ProposedTextInput(fields[name].widget.attrs, proposals=found)


def with_chosen(data: QueryDict) -> QueryDict:
    """Return the posted data with a proposal whose button was pressed in its field."""
    chosen = {name: str(data[f"_{name}"]) for name in _WIDTHS if f"_{name}" in data}
    if not chosen:
        return data
    changed = data.copy()
    for name, text in chosen.items():
        changed[name] = text
    return changed
