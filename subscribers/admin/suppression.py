"""Addresses that get no mail, and the form that adds one by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from subscribers.addresses.address import BadAddress, normalise
from subscribers.admin.labels import by_label
from subscribers.admin.large_tables import LargeTableMixin
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.admin.readers import REASON_COLOURS
from subscribers.consent.suppression import suppress
from subscribers.models import Suppression


class SuppressionForm(forms.Form):
    """An address whose owner asked by telephone or letter to get nothing at all."""

    email = forms.CharField(label="Address", widget=UnfoldAdminEmailInputWidget)
    detail = forms.CharField(
        label="Why", max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )

    def clean_email(self) -> str:
        try:
            return normalise(self.cleaned_data["email"])
        except BadAddress as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(Suppression)
class SuppressionAdmin(LargeTableMixin, ReadOnlyAdmin):
    list_display = fields = readonly_fields = ["address", "why", "detail", "created_at"]
    list_filter = ["reason"]
    search_fields = ["email_key__startswith"]
    search_help_text = "An address or its beginning."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, search_term.lower())

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("subscribers.add_suppression")

    @display(description="Address", ordering="email_key")
    def address(self, suppression: Suppression) -> str:
        if suppression.reason == Suppression.Reason.ERASED:
            return "erased: only its fingerprint is kept"
        return suppression.email_key

    @display(description="Reason", label=by_label(REASON_COLOURS))
    def why(self, suppression: Suppression) -> str:
        return suppression.get_reason_display()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = SuppressionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            suppress(**form.cleaned_data, reason=Suppression.Reason.MANUAL, now=now())
            messages.success(request, f"{form.cleaned_data['email']} gets no more mail.")
            return HttpResponseRedirect(reverse("admin:subscribers_suppression_changelist"))
        context = self.admin_site.each_context(request)
        context |= {"form": form, "title": "Suppress an address", "opts": self.model._meta}
        return TemplateResponse(request, "admin/subscribers/suppression/new.html", context)
