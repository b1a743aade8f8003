"""The forms of an import: the file, what its columns hold, and the evidence of consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from subscribers.models import ImportJob, Newsletter
from subscribers.transfer import presets
from subscribers.transfer.presets import BY_NAME, Field
from subscribers.transfer.unpacking import ENCODINGS

FIELD_LABELS = {
    Field.EMAIL: "Address",
    Field.NAME: "Name",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.LANGUAGE: "Language",
    Field.TIMEZONE: "Time zone",
    Field.STATUS: "Status",
    Field.SIGNED_UP_AT: "Signed up on",
    Field.SIGNED_UP_IP: "Signed up from (IP)",
    Field.CONFIRMED_AT: "Confirmed on",
    Field.CONFIRMED_IP: "Confirmed from (IP)",
    Field.LEFT_AT: "Left on",
    Field.WHY: "Why they left",
}


class UploadForm(forms.Form):
    newsletter = forms.ModelChoiceField(
        Newsletter.objects.all(), widget=UnfoldAdminSelectWidget, empty_label="Choose one"
    )
    file = forms.FileField(
        label="List",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.tsv,.txt,.gz"}),
        help_text="A CSV file, compressed with gzip or not. Its first line names the columns. "
        "Mailchimp exports a ZIP: unpack it, and upload the lists in it one by one.",
    )
    encoding = forms.ChoiceField(
        choices=[
            ("", "Detected from the file: UTF-8 or UTF-16"),
            *((name, label) for name, label in ENCODINGS.items() if not name.startswith("utf")),
        ],
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Needed only if accents come out wrong or the file is refused.",
    )


class ColumnMappingForm(forms.Form):
    """What a list's columns hold. If the user changes the preset, the columns follow it."""

    preset = forms.ChoiceField(
        label="Source of the list",
        choices=[(each.name, each.label) for each in BY_NAME.values()],
        widget=UnfoldAdminSelectWidget,
    )
    was = forms.CharField(widget=forms.HiddenInput, required=False)
    kind = forms.ChoiceField(
        label="Each row is",
        choices=[("", "what the file says, or else a reader"), *ImportJob.Holds.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, job: ImportJob, header: list[str]
    ) -> None:
        self.header = header
        super().__init__(self._with_preset(data) if data is not None else None)
        self.initial = {"preset": job.preset, "was": job.preset, "kind": job.kind}
        choices = [
            ("", "—"),
            *((str(n), name or f"column {n + 1}") for n, name in enumerate(header)),
        ]
        for field, label in FIELD_LABELS.items():
            name = f"column_{field}"
            self.fields[name] = forms.ChoiceField(
                label=label,
                choices=choices,
                required=field is Field.EMAIL,
                widget=UnfoldAdminSelectWidget,
                error_messages={"required": "Say which column holds the addresses."},
            )
            self.initial[name] = str(job.columns.get(field, ""))

    def _with_preset(self, data: Mapping[str, Any]) -> dict[str, Any]:
        posted = dict(data.items())
        preset = BY_NAME.get(posted.get("preset", ""))
        if preset and posted.get("was") != preset.name:
            found = presets.columns(self.header, preset)
            posted |= {f"column_{field}": str(found.get(field, "")) for field in Field}
            posted |= {"was": preset.name, "kind": ""}
        return posted

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        taken: dict[str, Field] = {}
        for field, column in self._chosen_columns(cleaned):
            if column in taken:
                first = FIELD_LABELS[taken[column]].lower()
                self.add_error(f"column_{field}", f"This column holds the {first} already.")
            taken.setdefault(column, field)
        return cleaned

    def columns(self) -> dict[Field, int]:
        return {field: int(column) for field, column in self._chosen_columns(self.cleaned_data)}

    def _chosen_columns(self, cleaned: dict[str, Any]) -> list[tuple[Field, str]]:
        chosen = ((field, cleaned.get(f"column_{field}", "")) for field in Field)
        return [(field, column) for field, column in chosen if column != ""]

    @property
    def column_fields(self) -> list[Any]:
        return [self[f"column_{field}"] for field in FIELD_LABELS]


class EvidenceForm(forms.Form):
    """The evidence that readers consented. Nobody becomes active without it."""

    treatment = forms.ChoiceField(
        label="Have these readers confirmed?",
        choices=[
            (
                "ask",
                "No, or we cannot prove it: ask each by mail. Nobody gets an edition before that.",
            ),
            (
                "confirmed",
                "Yes, elsewhere: they become active immediately. The evidence is as follows.",
            ),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )
    evidence = forms.CharField(
        label="Evidence of consent",
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget({"rows": 4}),
        help_text="Where, when and how they agreed, and where the proof is kept. It is stored with "
        "each reader's consent, with your name. If the list says when each reader confirmed, "
        "those without a date are still asked by mail.",
    )

    def __init__(self, data: Mapping[str, Any] | None, *, job: ImportJob) -> None:
        initial = {"treatment": job.treatment, "evidence": job.evidence}
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        evidence = cleaned.get("evidence", "").strip()
        if cleaned.get("treatment") == ImportJob.Treatment.CONFIRMED and len(evidence) < 10:
            self.add_error("evidence", "Say how you know that these readers agreed.")
        return cleaned
