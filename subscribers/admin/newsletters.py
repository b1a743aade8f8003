"""Newsletters and their sections."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import TextField
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminTextareaWidget

from subscribers.admin.embedding import EmbedPages
from subscribers.models import Newsletter, Section
from subscribers.reports import audience_sizes

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}+)*")


class SectionInline(TabularInline):
    model = Section
    fields = ["name", "slug", "min_stories", "max_stories", "position"]
    prepopulated_fields: ClassVar[dict[str, tuple[str, ...]]] = {"slug": ("name",)}
    ordering_field = "position"
    hide_ordering_field = True
    hide_title = True
    extra = 0

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field:
            field.widget.attrs["aria-label"] = field.label  # a table's cells have no labels
        return field


class NewsletterForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_language(self) -> str:
        """Accept a BCP 47 tag of any language: our own texts are then in the nearest of ours."""
        tag = str(self.cleaned_data["language"]).strip()
        if not _TAG.fullmatch(tag):
            raise forms.ValidationError("Write it like en, pt-BR or zh-Hant.")
        return tag


@admin.register(Newsletter)
class NewsletterAdmin(EmbedPages):
    form = NewsletterForm
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget({"rows": 4})}}
    list_display = ["name", "promise", "active", "pending", "timezone", "is_listed"]
    list_filter = ["is_listed", "language"]
    search_fields = ["name", "slug", "promise"]
    prepopulated_fields: ClassVar[dict[str, tuple[str, ...]]] = {"slug": ("name",)}
    inlines = [SectionInline]
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "slug", "promise", "description", "is_listed")}),
        ("Sender", {"fields": ("sender_name", "sender_email", "reply_to", "postal_address")}),
        ("Language and look", {"fields": ("language", "timezone", "accent_color")}),
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        found = audience_sizes.sizes(newsletter.pk for newsletter in changelist.result_list)
        for newsletter in changelist.result_list:
            newsletter.active_size, newsletter.pending_size = found[newsletter.pk]
        return changelist

    @display(description="Active readers")
    def active(self, newsletter: Any) -> str:
        return str(newsletter.active_size)

    @display(description="Waiting to confirm")
    def pending(self, newsletter: Any) -> str:
        return str(newsletter.pending_size)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The slug is part of links and List-Ids that readers already have.
        return ("slug",) if obj else ()

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Any = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else self.prepopulated_fields

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "accent_color":
            kwargs["widget"] = UnfoldAdminColorInputWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)
