"""Export the readers of one newsletter, or of all, as CSV."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import localdate
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from subscribers.models import Newsletter, Subscriber
from subscribers.transfer import exporting
from subscribers.transfer.whole_file import ExportFailed, write_whole
from subscribers.views.download import as_download

# The permission to get readers' addresses by the thousand, in whatever way.
EXPORT_PERMISSION = "subscribers.export_readers"
STATUSES = {
    "active": "Active readers",
    "pending": "Waiting for confirmation",
    "unsubscribed": "Unsubscribed",
    "bounced": "Bounced: they get no mail",
    "complained": "Complained: they get no mail",
    "suppressed": "Suppressed by hand or by an imported list",
}


class ExportForm(forms.Form):
    newsletter = forms.ModelChoiceField(
        Newsletter.objects.all(),
        required=False,
        empty_label="All newsletters",
        widget=UnfoldAdminSelectWidget,
    )
    statuses = forms.MultipleChoiceField(
        label="Who",
        choices=STATUSES.items(),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=["active"],
        error_messages={"required": "Choose at least one group of readers."},
    )
    by_gzip = forms.BooleanField(
        label="Compressed with gzip", required=False, widget=UnfoldBooleanWidget
    )


class ExportAdmin(ModelAdmin):
    """A button above the list of readers, for users who may export them."""

    actions_list: ClassVar[list[str]] = ["export_readers"]

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(EXPORT_PERMISSION)

    @action(description="Export", icon="download", permissions=["export"], url_path="export")
    def export_readers(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        form = ExportForm(request.POST or None)
        failed = False
        if request.method == "POST" and form.is_valid():
            _log_export(request, form.cleaned_data)
            try:
                return _file(**form.cleaned_data)
            except ExportFailed as error:
                failed = True
                form.add_error(None, f"{error} Nothing was downloaded.")
        context = self.admin_site.each_context(request) | {
            "form": form,
            "title": "Export readers",
            "opts": self.model._meta,
        }
        page = TemplateResponse(request, "admin/subscribers/import/export.html", context)
        page.status_code = 500 if failed else 200
        return page


def _file(
    *, newsletter: Newsletter | None, statuses: list[str], by_gzip: bool
) -> StreamingHttpResponse:
    chunks = exporting.csv_chunks(newsletter=newsletter, statuses=statuses)
    name = f"{newsletter.slug if newsletter else 'readers'}-{localdate():%Y-%m-%d}.csv"
    return as_download(
        write_whole(exporting.encoded(chunks, by_gzip=by_gzip)),
        name=f"{name}.gz" if by_gzip else name,
        content_type="application/gzip" if by_gzip else "text/csv; charset=utf-8",
    )


def _log_export(request: HttpRequest, chosen: dict[str, Any]) -> None:
    """Record in the admin's log who exported the readers."""
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=ContentType.objects.get_for_model(Subscriber),
        object_repr=str(chosen["newsletter"] or "All newsletters")[:200],
        action_flag=CHANGE,
        change_message=f"Exported readers: {', '.join(chosen['statuses'])}.",
    )
