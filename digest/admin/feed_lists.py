"""A page that takes feeds from an OPML file, and gives those of a newsletter as one."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from digest.admin.preset import PresetAdmin
from digest.feeds.adding.lists import ListedFeed, export_feeds, import_feeds
from digest.feeds.adding.opml import MAX_BYTES, NotOpml
from subscribers.models import Newsletter
from subscribers.plumbing.uploads import upload_error


class FeedListForm(forms.Form):
    newsletter = forms.ModelChoiceField(
        Newsletter.objects.all(), widget=UnfoldAdminSelectWidget, empty_label="Choose one"
    )
    file = forms.FileField(
        label="OPML file",
        widget=UnfoldAdminFileFieldWidget,
        help_text="As feed readers export it. A folder is the newsletter's section of that name.",
    )
    dry_run = forms.BooleanField(
        label="Only show what it would add", required=False, widget=UnfoldBooleanWidget
    )

    def take(self) -> list[ListedFeed] | None:
        """Return what became of each line; None with an error at the file."""
        data = self.cleaned_data
        try:
            return import_feeds(
                newsletter=data["newsletter"],
                body=data["file"].read(MAX_BYTES + 1),
                now=now(),
                dry_run=data["dry_run"],
            )
        except NotOpml as error:
            self.add_error("file", str(error))
            return None


class FeedListsAdmin(PresetAdmin):
    """A button above the list of feeds."""

    actions_list: ClassVar[list[str]] = ["lists"]

    @action(description="OPML", icon="swap_vert", permissions=["view"], url_path="opml")
    def lists(self, request: HttpRequest) -> HttpResponse:
        if wanted := request.GET.get("download"):
            return _download(wanted)
        form, lines = FeedListForm(request.POST or None, request.FILES or None), None
        if request.method == "POST":
            if not self.has_add_permission(request):
                raise PermissionDenied
            if why := upload_error(request):
                form.add_error("file", why)
            elif form.is_valid():
                lines = form.take()
        if lines is not None and not form.cleaned_data["dry_run"]:
            messages.success(request, _summary(lines))
        context = self.admin_site.each_context(request) | {
            "form": form,
            "lines": lines,
            "is_dry_run": lines is not None and form.cleaned_data["dry_run"],
            "newsletters": Newsletter.objects.all(),
            "may_add": self.has_add_permission(request),
            "title": "Feeds as a file",
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "admin/digest/feed/opml.html", context)


def _summary(lines: list[ListedFeed]) -> str:
    counts = Counter(line.outcome.label for line in lines)
    found = "; ".join(f"{count}: {outcome}" for outcome, count in counts.items())
    return f"{found or 'There is no feed in it'}. What is new is fetched now, one after the other."


def _download(wanted: str) -> HttpResponse:
    is_id = wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18
    newsletter: Any = Newsletter.objects.filter(pk=wanted).first() if is_id else None
    if newsletter is None:
        raise Http404
    return HttpResponse(
        export_feeds(newsletter),
        content_type="text/x-opml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{newsletter.slug}-feeds.opml"'},
    )
