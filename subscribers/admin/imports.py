"""Imports of readers: upload a list, map its columns, try it, import it, watch it, stop it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST
from unfold.decorators import display

from subscribers import tasks
from subscribers.admin.import_forms import ColumnMappingForm, EvidenceForm, UploadForm
from subscribers.admin.import_panel import (
    COLOURS,
    WAITS,
    WAITS_COLOUR,
    panel,
    preview_context,
    progress,
    questions_form,
    state,
)
from subscribers.admin.labels import by_label
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import ImportJob, Newsletter
from subscribers.plumbing.queue import enqueue
from subscribers.plumbing.uploads import upload_error
from subscribers.transfer import exporting, jobs
from subscribers.transfer.files import CannotStore
from subscribers.transfer.jobs import InvalidImportState
from subscribers.transfer.unpacking import UnreadableFile
from subscribers.transfer.whole_file import ExportFailed, write_whole
from subscribers.views.download import as_download


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    list_display = ["name", "newsletter", "state", "rows", "added", "refused", "by", "created_at"]
    list_filter = ["newsletter", "status"]
    list_select_related = ["newsletter", "created_by"]
    search_fields = ["name", "evidence"]
    date_hierarchy = "created_at"

    @display(
        description="Status", ordering="status", label=by_label(COLOURS) | {WAITS: WAITS_COLOUR}
    )
    def state(self, job: ImportJob) -> str:
        return state(job, now=now())

    @display(description="By", ordering="created_by", empty_value="")
    def by(self, job: ImportJob) -> str | None:
        return job.created_by.get_username() if job.created_by else None

    # --- Permissions ---

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("subscribers.add_importjob")

    def _job(self, request: HttpRequest, pk: int, *, change: bool = False) -> ImportJob:
        """Return the job if the user may see it or, with `change`, run it."""
        allowed = self.has_add_permission if change else self.has_view_permission
        if not allowed(request):
            raise PermissionDenied
        jobs_ = ImportJob.objects.select_related("newsletter", "created_by")
        if (job := jobs_.filter(pk=pk).first()) is None:
            raise Http404("There is no such import.")
        return job

    # --- Pages ---

    def get_urls(self) -> list[URLPattern]:
        pages = [
            ("columns", self.column_mapping_fragment),
            ("progress", self.progress_fragment),
            ("stop", self.stop),
            ("refused.csv", self.refused),
        ]
        urls = [
            path(
                f"<int:pk>/{name}/" if "." not in name else f"<int:pk>/{name}",
                self.admin_site.admin_view(view),
                name=f"subscribers_importjob_{name.partition('.')[0]}",
            )
            for name, view in pages
        ]
        return [*urls, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None, initial=_only_newsletter())
        if not_stored := upload_error(request):
            form.fields["file"].error_messages["required"] = not_stored
        if request.method == "POST" and form.is_valid():
            try:
                job = jobs.upload(by=request.user, now=now(), **form.cleaned_data)
            except (UnreadableFile, CannotStore) as error:
                form.add_error("file", str(error))
            else:
                return _redirect_to(job)
        return self._page(request, "new", {"form": form, "title": "Import a list"})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self._job(request, _number(object_id), change=request.method == "POST")
        may_run = self.has_add_permission(request)
        context: dict[str, Any] = {"title": job.name, "original": job, "may_run": may_run}
        if may_run and job.file and not job.is_under_way:
            try:
                response = self._forms(request, job, context)
            except UnreadableFile as error:
                context["unreadable"] = str(error)
            else:
                if response:
                    return response
        return self._page(request, "job", context | panel(job, now=now()))

    def _forms(
        self, request: HttpRequest, job: ImportJob, context: dict[str, Any]
    ) -> HttpResponse | None:
        data = request.POST if request.method == "POST" else None
        if data is not None and "_resume" in data:
            return self._start(request, job, resume=True)
        mapping = ColumnMappingForm(data, job=job, header=jobs.sheet_of(job).header())
        evidence = EvidenceForm(data, job=job)
        if mapping.is_valid():
            _use(mapping, evidence, job)
        questions = questions_form(data, job, now=now())
        context |= {"mapping": mapping, "evidence": evidence, "questions": questions}
        if data is not None and mapping.is_valid() and evidence.is_valid() and questions.is_valid():
            try:
                jobs.configure(
                    job_id=job.pk,
                    preset=mapping.cleaned_data["preset"],
                    columns=mapping.columns(),
                    kind=mapping.cleaned_data["kind"],
                    answers=questions.answers(),
                    **evidence.cleaned_data,
                )
            except InvalidImportState as error:
                messages.warning(request, str(error))
                return _redirect_to(job)
            return self._start(request, job, dry_run="_try" in data)
        context |= preview_context(job, now=now())
        return None

    def _start(self, request: HttpRequest, job: ImportJob, **options: bool) -> HttpResponse:
        try:
            jobs.start_import(job_id=job.pk, now=now(), **options)
        except InvalidImportState as error:
            messages.warning(request, str(error))
        else:
            enqueue(tasks.run_import, job_id=job.pk)
        return _redirect_to(job)

    def column_mapping_fragment(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the columns and first rows as the posted form maps them; nothing is saved."""
        job = self._job(request, pk, change=True)
        context: dict[str, Any] = {"job": job, "choosing": request.POST.get("choosing")}
        try:
            mapping = ColumnMappingForm(request.POST, job=job, header=jobs.sheet_of(job).header())
        except UnreadableFile as error:
            return self._fragment(request, "columns", context | {"unreadable": str(error)})
        if mapping.is_valid():
            _use(mapping, EvidenceForm(request.POST, job=job), job)
            try:
                questions = questions_form(request.POST, job, now=now())
            except UnreadableFile as error:
                return self._fragment(request, "columns", context | {"unreadable": str(error)})
            if questions.is_valid():
                job.answers = questions.answers().as_json()
            context |= {"questions": questions} | preview_context(job, now=now())
        return self._fragment(request, "columns", context | {"mapping": mapping})

    def progress_fragment(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part of the page that htmx refreshes while the import runs."""
        job = self._job(request, pk)
        response = self._fragment(request, "progress", progress(job, now=now()))
        if request.GET.get("was") != job.status:
            # The status has changed, so the rest of the page and its buttons change too.
            response["HX-Refresh"] = "true"
        return response

    def stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        return require_POST(self._stop)(request, pk)

    def _stop(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._job(request, pk, change=True)
        if not jobs.stop_import(job_id=job.pk, now=now()):
            messages.info(request, "It was over before it could be stopped.")
        return _redirect_to(job)

    def refused(self, request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
        job = self._job(request, pk)
        try:
            file = write_whole(exporting.encoded(_refused(job)))
        except ExportFailed as error:
            messages.error(request, str(error))
            return _redirect_to(job)
        kind = "text/csv; charset=utf-8"
        return as_download(file, name=f"refused-{job.pk}.csv", content_type=kind)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        full_context = self.admin_site.each_context(request) | {"opts": self.model._meta} | context
        return TemplateResponse(request, f"admin/subscribers/import/{name}.html", full_context)

    def _fragment(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, f"admin/subscribers/import/{name}.html", context)


def _refused(job: ImportJob) -> Iterator[str]:
    rows = job.refusals.order_by("line").values_list("line", "email", "reason")
    yield "\ufeff"
    yield from exporting.csv_lines([("line", "email", "reason")])
    yield from exporting.csv_lines(rows.iterator(chunk_size=2000))


def _use(mapping: ColumnMappingForm, evidence: EvidenceForm, job: ImportJob) -> None:
    """Read the list as the forms say, without saving that."""
    job.preset, job.kind = mapping.cleaned_data["preset"], mapping.cleaned_data["kind"]
    job.columns = mapping.columns()
    job.treatment = str(evidence["treatment"].value())


def _redirect_to(job: ImportJob) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:subscribers_importjob_change", args=[job.pk]))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404("There is no such import.")
    return int(text)


def _only_newsletter() -> dict[str, Any]:
    """Preselect the newsletter if there is only one."""
    first_two = Newsletter.objects.all()[:2]
    return {"newsletter": first_two[0]} if len(first_two) == 1 else {}
