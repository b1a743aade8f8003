"""The edition's form: its copy, the order of stories, a fingerprint of what the editor saw."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from unfold.admin import StackedInline
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminMultipleAutocompleteModelChoiceFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
    UnfoldBooleanWidget,
)

from digest.admin.edition.conflict import changed_by, not_saved, replaced
from digest.admin.edition.merge import TEXTS, MergedForm, Rows, merge_rows
from digest.admin.edition.proposals import propose_inbox_lines, with_chosen
from digest.admin.edition.reasons import TermTable, term_table
from digest.admin.send_times import reader_hour
from digest.editions.decide import approve
from digest.editions.edit import curate
from digest.models import Cadence, Edition, EditionItem, Story
from digest.rendering.contents import in_printed_order
from subscribers.models import Newsletter, Section

# In the data of a form that the editor typed before they had to log in again.
RESTORED = "_restored"


class SeenField(forms.CharField):
    """What the page showed; an editor does not change it, and no history tells of it."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class EditionForm(MergedForm):
    """Save only what the editor changed, and only if the edition is still what the editor saw."""

    EDITION_FIELDS = MERGED = ("subject", "preheader", "note", "sends_at", "deadline_at")

    # The edition's fingerprint when this page was rendered. With it two editors cannot undo each
    # other's changes unnoticed, and an approval covers exactly what its editor saw.
    seen = SeenField(widget=forms.HiddenInput, required=False)
    add_stories = forms.ModelMultipleChoiceField(
        widget=UnfoldAdminMultipleAutocompleteModelChoiceFieldWidget,
        label="Stories",
        queryset=Story.objects.none(),
        required=False,
        help_text="Type a few letters of the headline; the newest stories come first. "
        "What you choose is added at the end, where you can move it.",
    )
    again = forms.BooleanField(
        label="Print again",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Also add stories that the newsletter has printed before.",
    )

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(data if data is None else with_chosen(data), *args, **kwargs)
        self.was_approved = self.instance.status == Edition.Status.APPROVED
        stories = Story.objects.filter(newsletter=self.instance.newsletter_id)
        self.fields["seen"].initial = approve.fingerprint(self.instance)
        field: Any = self.fields["add_stories"]
        field.queryset = stories
        # The browser loads stories while the editor types; the page holds only the chosen ones.
        chosen = self.data.getlist("add_stories") if self.is_bound else []  # type: ignore[attr-defined]
        field.widget.choices = [
            (s.pk, s.title) for s in stories.filter(pk__in=[pk for pk in chosen if pk.isdecimal()])
        ]
        field.widget.attrs["data-placeholder"] = "Find a story by its headline"
        field.widget.attrs["data-ajax--url"] = reverse(
            "admin:digest_edition_stories", args=[self.instance.pk]
        )
        self._relabel_times()
        if "note" in self.fields:
            self.fields["note"].widget.attrs["rows"] = 3
        if not self.instance.corrects_id:
            propose_inbox_lines(self.fields, self.instance)
        for name, visible in (("subject", 45), ("preheader", 90)):
            if name in self.fields:
                limit = self.fields[name].max_length  # type: ignore[attr-defined]
                self.fields[name].widget.attrs |= {"data-count": visible, "data-limit": limit}

    @property
    def restored(self) -> bool:
        """Whether it has what the editor typed before they had to log in again."""
        return self.has_error(NON_FIELD_ERRORS, "restored")

    @property
    def conflict(self) -> bool:
        """Whether somebody else changed the edition since the page was shown."""
        return self.has_error(NON_FIELD_ERRORS, "changed")

    def non_field_errors(self) -> Any:
        """Return what is to be corrected; the page has its own words for the other two."""
        errors = super().non_field_errors()
        errors.data = [e for e in errors.as_data() if e.code not in {"restored", "changed"}]
        return errors

    def conflict_with(self, formset: Any) -> dict[str, Any]:
        """Return who changed the edition, and what saving this form does with that."""
        return {
            "by": changed_by(self.instance, self.data),
            "replaced": replaced(self, formset),
            "not_saved": not_saved(formset.rows.gone),
        }

    def _relabel_times(self) -> None:
        """Relabel both times of an edition by the readers' clocks: for it they are limits."""
        if self.instance.local_time is None or "sends_at" not in self.fields:
            return
        begin, end = self.fields["sends_at"], self.fields["deadline_at"]
        begin.label, end.label = "Nobody before", "Nobody after"
        begin.help_text = (
            "Readers whose hour has passed by then get it then; the others get it "
            f"{reader_hour(self.instance)}."
        )
        end.help_text = (
            "If you move it, each reader has that much more, or less, time after their hour."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        present = approve.fingerprint(self.instance)
        not_now = []
        if RESTORED in self.data:
            not_now.append(forms.ValidationError("It is only shown again.", code="restored"))
        if present != cleaned.get("seen"):
            not_now.append(forms.ValidationError("It was changed.", code="changed"))
        if not_now:
            raise forms.ValidationError(not_now)
        sends_at, deadline_at = cleaned.get("sends_at"), cleaned.get("deadline_at")
        if sends_at and deadline_at and deadline_at <= sends_at:
            self.add_error("deadline_at", "The deadline must come after the send time.")
        return cleaned

    def clean_add_stories(self) -> list[Story]:
        chosen: list[Story] = list(self.cleaned_data["add_stories"])
        if self.data.get("again"):
            return chosen
        printed = curate.printed_items(self.instance).filter(story__in=chosen)
        for item in printed.exclude(edition=self.instance).select_related("story"):
            printed_before = curate.AlreadyPrinted(item.story, item.edition)
            self.add_error(
                "add_stories", f"{printed_before} Tick “Print again” to print it once more."
            )
        return chosen


class ItemForm(MergedForm):
    """One story in the edition: its position, its section, and the editors' copy for it."""

    section = forms.ModelChoiceField(
        Section.objects.none(), required=False, widget=UnfoldAdminSelectWidget
    )
    is_follow_up = forms.BooleanField(
        label="Marked as an update", required=False, widget=UnfoldBooleanWidget
    )

    MERGED = ("position", "is_follow_up", *TEXTS)

    class Meta:
        model = EditionItem
        fields = ["position", "section", "headline", "summary"]
        widgets = {
            "position": UnfoldAdminTextInputWidget({"inputmode": "numeric"}),
            "headline": UnfoldAdminTextInputWidget,
            "summary": UnfoldAdminTextareaWidget({"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            story = self.instance.story
            self.fields["headline"].widget.attrs["placeholder"] = story.title
            self.fields["summary"].widget.attrs["placeholder"] = story.summary
            for name, field in self.fields.items():
                field.widget.attrs["aria-label"] = f"{name.capitalize()} of “{story.title}”"
        if self.instance.is_follow_up:
            self.initial["is_follow_up"] = True
            label = f"Readers see the mark “Update” above “{self.instance.story.title}”"
            self.fields["is_follow_up"].widget.attrs["aria-label"] = label
        else:
            del self.fields["is_follow_up"]

    @property
    def terms(self) -> TermTable | None:
        """The terms by which a draft chose the story; None if there are none."""
        return term_table(self.instance.terms)


class ItemFormSet(PaginationInlineFormSet):
    """The edition's stories as they are printed, saved by `editions.edit.curate`, not row by row.

    A position is a place in this list: number 1 is the lead.
    """

    data: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = Rows(self.data, gone=[])
        if self.is_bound:
            saved = [item.pk for item in self.get_queryset()]
            self.rows = merge_rows(self.data, prefix=self.prefix, saved=saved)
            self.data = self.rows.data

    def get_queryset(self) -> Any:
        if not hasattr(self, "_printed"):
            self._printed = in_printed_order(list(super().get_queryset()))
        return self._printed

    @cached_property
    def _places(self) -> dict[int, int]:
        return {item.pk: place for place, item in enumerate(self.get_queryset(), start=1)}

    @property
    def in_wanted_order(self) -> list[Any]:
        """Return the rows in the order that saving them makes."""
        rows = {form.instance.pk: form for form in self.initial_forms}
        places = {
            pk: int(typed)
            for pk, form in rows.items()
            if "position" in form.changed_data
            and re.fullmatch("[0-9]{1,5}", typed := str(form["position"].value()))
        }
        order = curate.move_to_places(list(self._places), places)
        return [rows[pk] for pk in order if pk in rows]

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance.pk and index is not None:
            form.initial["position"] = self._places[form.instance.pk]
        if "section" in form.fields:
            # Read once for all rows: a list per row would be a query per row.
            if not hasattr(self, "_sections"):
                self._sections = list(self.instance.newsletter.sections.all())
            field = form.fields["section"]
            field.queryset = self.instance.newsletter.sections.all()
            field.choices = [("", "No section"), *((s.pk, s.name) for s in self._sections)]

    def curate(self) -> None:
        """Remove, edit and reorder as the editor asked; each is a step of its own."""
        self.new_objects: list[Any] = []
        self.changed_objects: list[Any] = []
        self.deleted_objects: list[Any] = []
        edition_id = self.instance.pk
        places = {
            form.instance.pk: form.cleaned_data["position"]
            for form in self.initial_forms
            if form.instance.pk and "position" in form.changed_data
        }
        for form in self.initial_forms:
            if self._should_delete_form(form):
                curate.remove_item(edition_id=edition_id, item_id=form.instance.pk)
                self.deleted_objects.append(form.instance)
                continue
            if set(form.changed_data) & {"headline", "summary", "section", "is_follow_up"}:
                edit = curate.ItemEdit(
                    headline=form.cleaned_data["headline"],
                    summary=form.cleaned_data["summary"],
                    section_id=getattr(form.cleaned_data["section"], "pk", None),
                    is_follow_up=form.cleaned_data.get("is_follow_up", True),
                )
                curate.edit_item(edition_id=edition_id, item_id=form.instance.pk, edit=edit)
            if form.changed_data:
                self.changed_objects.append((form.instance, form.changed_data))
        if places:
            moved = curate.move_to_places(list(self._places), places)
            curate.reorder(edition_id=edition_id, item_ids=moved)


class ItemInline(StackedInline):
    model = EditionItem
    form = ItemForm
    formset = ItemFormSet
    template = "admin/digest/edition/stories.html"
    fields = ["position", "section", "headline", "summary", "is_follow_up"]
    ordering_field = "position"
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("story", "section")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the form's own field adds stories: it refuses one that was printed before

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        editable = obj is None or curate.is_editable(obj)
        return editable and request.user.has_perm("digest.change_edition")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = request.user
        return user.has_perm("digest.view_edition") or user.has_perm("digest.change_edition")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


class NewEditionForm(forms.Form):
    """Draft a day's edition now: the schedule's own or, on a day without a slot, one by hand."""

    newsletter = forms.ModelChoiceField(
        Newsletter.objects.all(), widget=UnfoldAdminSelectWidget, empty_label="Choose one"
    )
    date = forms.DateField(
        required=False,
        widget=forms.DateInput({"type": "date", "class": " ".join(INPUT_CLASSES)}),
        help_text="The date in the newsroom's time zone. Empty: the next edition. If the edition "
        "exists already, it is opened.",
    )
    cadence = forms.TypedChoiceField(
        label="Contents",
        choices=Cadence,
        initial=Cadence.DAILY,
        empty_value=Cadence.DAILY,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="The best of the week goes to readers who chose one mail a week.",
    )
