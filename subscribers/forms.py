"""Check what a reader writes into a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from subscribers.models import Subscription


class SectionsForm(forms.Form):
    """The sections of a newsletter that a reader wants; one query for all of it."""

    wanted = forms.TypedMultipleChoiceField(
        label=_("Sections"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one section. To get no mail at all, unsubscribe below.")
        },
    )

    def __init__(self, *args: Any, subscription: Subscription, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = dict(subscription.newsletter.sections.values_list("pk", "name"))
        muted = set(subscription.muted_sections)
        # The field of this form, not of the class: Form copies its declared fields.
        self.fields["wanted"].choices = list(self.sections.items())  # type: ignore[attr-defined]
        self.fields["wanted"].initial = [pk for pk in self.sections if pk not in muted]

    def muted(self) -> list[int]:
        """The ids of the sections that were not chosen."""
        return [pk for pk in self.sections if pk not in self.cleaned_data["wanted"]]
