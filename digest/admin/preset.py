"""Fill a form from its address, as the admin's own links do, with what can be a row's id."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class PresetAdmin(ModelAdmin):
    """An admin whose new rows may be preset by a link: `?newsletter=3`.

    Django looks such a value up as it is, and answers with an error 500 if it is no number.
    """

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        return {
            name: value
            for name, value in initial.items()
            if name not in self.autocomplete_fields or (value.isascii() and value.isdecimal())
        }
