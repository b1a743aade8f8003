"""The field into which a code is typed."""

from __future__ import annotations

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget


class CodeForm(forms.Form):
    """One code. Which one is meant, and whether it is right, the view finds out."""

    code = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": "Type the code."},
    )

    def __init__(self, *args: object, label: str = "Code", focus: bool = True) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.fields["code"].label = label
        if focus:
            self.fields["code"].widget.attrs["autofocus"] = True
