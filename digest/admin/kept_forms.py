"""Show a model's form with what an editor typed when the session had ended."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from subscribers.plumbing import kept_edits


class KeepsWhatWasTyped(ModelAdmin):
    """Fill the form of a row with what was typed, which is saved when a button is pressed."""

    change_form_before_template = "admin/kept.html"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = kept_edits.context(request) | (extra_context or {})
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        typed = kept_edits.find(request) if obj else None
        if typed is None:
            return form

        class Restored(form):
            """The form as it was typed. It is not bound, so nothing of it can be saved."""

            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                bound = form(typed, instance=obj)
                self.initial |= {name: bound[name].value() for name in self.fields}

        return Restored

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        kept_edits.drop(request)
        response: HttpResponse = super().response_change(request, obj)
        return response
