"""API tokens: made here, shown once, and stored as a hash only."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, TextChoices
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from subscribers.admin.exports import EXPORT_PERMISSION
from subscribers.admin.labels import by_label
from subscribers.api import tokens
from subscribers.models import ApiToken, Scope


class TokenState(TextChoices):
    VALID = "valid", "valid"
    EXPIRED = "expired", "expired"
    REVOKED = "revoked", "revoked"


STATE_COLOURS = {
    TokenState.VALID: "success",
    TokenState.EXPIRED: "warning",
    TokenState.REVOKED: "danger",
}
# The permissions that a user needs to give a scope: no token may do more than its maker.
REQUIRED_PERMISSIONS: ClassVar[dict[str, list[str]]] = {  # type: ignore[misc]
    # This scope lists and exports all readers.
    Scope.SUBSCRIBERS_READ: [EXPORT_PERMISSION],
    Scope.SUBSCRIBERS_WRITE: ["subscribers.add_subscriber"],
    Scope.STORIES_READ: ["digest.view_story"],
    Scope.STORIES_WRITE: ["digest.add_story", "digest.change_story"],
    Scope.EDITIONS_READ: ["digest.view_edition"],
    # This scope makes new editions and edits existing ones.
    Scope.EDITIONS_WRITE: ["digest.add_edition", "digest.change_edition"],
    Scope.EDITIONS_SEND: ["digest.approve_edition", "digest.send_edition"],
}


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": "Choose at least one thing that it may do."},
    )

    class Meta:
        model = ApiToken
        fields = ["name", "scopes", "newsletter", "expires_at"]

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= now():
            raise forms.ValidationError("That time has passed.")
        return expires_at


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    list_display = [
        "name",
        "begins",
        "scope_names",
        "valid_for",
        "state",
        "last_used_at",
        "created_by",
    ]
    list_filter = ["newsletter"]
    list_select_related = ["newsletter", "created_by"]
    search_fields = ["name", "hint"]
    actions = ["revoke_selected"]
    change_form_outer_before_template = "admin/subscribers/apitoken/state.html"
    fieldsets = ((None, {"fields": ("name", "scopes", "newsletter", "expires_at")}),)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj:
            return super().get_form(request, obj, **kwargs)
        form = super().get_form(request, obj, form=TokenForm, **kwargs)
        # A copy, because all requests share the field and two may be served at the same time.
        form.base_fields["scopes"] = scopes = deepcopy(form.base_fields["scopes"])
        scopes.choices = [
            choice
            for choice in Scope.choices
            if request.user.has_perms(REQUIRED_PERMISSIONS[choice[0]])
        ]
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not obj:
            return super().get_fieldsets(request, obj)
        fields = (
            "name",
            "scope_names",
            "valid_for",
            "begins",
            "expires_at",
            "created_at",
            "created_by",
        )
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # The program that uses the token relies on what it may do.
        shown = ("scope_names", "valid_for", "begins", "expires_at", "created_at", "created_by")
        return shown if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked token is evidence of what had access, and until when

    @display(description="Begins with")
    def begins(self, token: ApiToken) -> str:
        return f"{token.hint}…"

    @display(description="Scopes")
    def scope_names(self, token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @display(description="Valid for", ordering="newsletter")
    def valid_for(self, token: ApiToken) -> str:
        return token.newsletter.name if token.newsletter else "all newsletters"

    @display(description="State", label=by_label(STATE_COLOURS))
    def state(self, token: ApiToken) -> str:
        return token_state(token).label

    # --- Making a token ---------------------------------------------------------------------------

    def save_model(self, request: Any, obj: ApiToken, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)
            return
        token, secret = tokens.issue(
            name=obj.name,
            scopes=form.cleaned_data["scopes"],
            newsletter=obj.newsletter,
            created_by=request.user,
            expires_at=obj.expires_at,
            now=now(),
        )
        obj.pk, obj.hint, obj._state.adding = token.pk, token.hint, False
        request.made_token = secret

    def response_add(self, request: Any, obj: ApiToken, post_url_continue: Any = None) -> Any:
        """Show the secret, this once: only its hash is stored, so it cannot be shown again."""
        context = self.admin_site.each_context(request) | {
            "token": obj,
            "secret": request.made_token,
            "title": "The new token",
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/subscribers/apitoken/made.html", context)

    # --- Revoking a token -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revoke_now)
        name = "subscribers_apitoken_revoke"
        return [path("<int:pk>/revoke/", view, name=name), *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        token = self.get_object(request, object_id) if object_id else None
        if token:
            state = token_state(token)
            context = {"token": token, "token_state": state, "token_colour": STATE_COLOURS[state]}
            extra_context = context | (extra_context or {})
        return super().changeform_view(request, object_id, form_url, extra_context)

    def revoke_now(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        self._revoke(request, [pk])
        return HttpResponseRedirect(reverse("admin:subscribers_apitoken_change", args=[pk]))

    @admin.action(description="Revoke", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        self._revoke(request, list(queryset.values_list("pk", flat=True)))

    def _revoke(self, request: HttpRequest, ids: list[int]) -> None:
        count = tokens.revoke(token_ids=ids, now=now())
        revoked = "1 token is" if count == 1 else f"{count} tokens are"
        messages.success(request, f"{revoked} revoked, immediately and permanently.")


def token_state(token: ApiToken) -> TokenState:
    if token.revoked_at:
        return TokenState.REVOKED
    return TokenState.VALID if token.is_valid(now=now()) else TokenState.EXPIRED
