"""A reader's rights: to see what is stored about them, and to be erased."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import get_current_timezone, now
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.enums import ActionVariant

from subscribers.i18n import languages
from subscribers.models import Subscriber
from subscribers.privacy import data_export, data_export_page, erasure
from subscribers.views.data_export import as_file


class PrivacyAdmin(ModelAdmin):
    """Buttons on a reader's page, each for users with the permission."""

    actions_detail: ClassVar[list[str]] = [
        "show_data_export",
        "download_data_export",
        "erase_reader",
    ]

    def has_data_export_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        may = request.user.has_perm
        return may("subscribers.view_subscriber") and may("subscribers.view_consent")

    def has_erase_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("subscribers.delete_subscriber")

    @action(
        description="All stored data",
        icon="folder_shared",
        permissions=["data_export"],
        url_path="data",
    )
    def show_data_export(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show the data export as a page to read or print; the reader can open the same page."""
        reader = _reader(object_id)
        context = data_export_page.context(data_export.gather(subscriber_id=reader.pk)) | {
            "zone": get_current_timezone(),
            "download_url": reverse(
                "admin:subscribers_subscriber_download_data_export", args=[reader.pk]
            ),
        }
        # The page is in English like the rest of the admin; the switch in its footer shows it in
        # the reader's language.
        with translation.override(
            languages.first_supported(request.GET.get(languages.PARAMETER, ""))
        ):
            return render(request, "subscribers/data_export.html", context)

    @action(
        description="The same data as JSON",
        icon="download",
        permissions=["data_export"],
        url_path="json",
    )
    def download_data_export(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return as_file(_reader(object_id).pk)

    @action(
        description="Erase",
        icon="delete_forever",
        permissions=["erase"],
        url_path="erase",
        variant=ActionVariant.DANGER,
    )
    def erase_reader(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Ask once more on a page of its own; only the button there erases the reader."""
        reader = _reader(object_id)
        if request.method == "POST":
            erasure.erase(subscriber_id=reader.pk, now=now())
            messages.success(request, f"{reader.email} is erased.")
            return HttpResponseRedirect(reverse("admin:subscribers_subscriber_changelist"))
        context = self.admin_site.each_context(request) | {
            "opts": self.model._meta,
            "reader": reader,
            "title": f"Erase {reader.email}?",
        }
        return TemplateResponse(request, "admin/subscribers/subscriber/erase.html", context)


def _reader(object_id: int) -> Subscriber:
    """Return the reader, or answer 404 also for one who was erased."""
    return get_object_or_404(Subscriber, pk=object_id, erased_at=None)
