"""What the pages of an edition share: permissions, rendering, and the way back."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from unfold.admin import ModelAdmin

from digest.admin.edition.panel import panel
from digest.admin.edition.rights import Step, allowed_steps, allows, refusal
from digest.models import Edition


class EditionPages(ModelAdmin):
    """Pages of one edition, for those who may see or change editions."""

    def _edition(self, request: HttpRequest, pk: int, *, step: Step | None = None) -> Edition:
        """Return the edition if the user may see it and, with `step`, take that step."""
        if step is None and not self.has_view_permission(request):
            raise PermissionDenied
        edition = self.get_queryset(request).select_related("schedule").filter(pk=pk).first()
        if edition is None:
            raise Http404("There is no such edition.")
        if step is not None:
            self._require(request, step, edition)
        return edition

    def _require(self, request: HttpRequest, step: Step, edition: Edition) -> None:
        if not allows(request.user, step, edition):
            raise PermissionDenied(refusal(step, edition))

    def _confirmation_page(
        self, request: HttpRequest, edition: Edition, question: str, context: dict[str, Any]
    ) -> HttpResponse:
        return self._render(
            request,
            edition,
            f"admin/digest/edition/{question}.html",
            panel(edition, now=now()) | {"may": allowed_steps(request.user, edition)} | context,
        )

    def _render(
        self, request: HttpRequest, edition: Edition, template: str, context: dict[str, Any]
    ) -> HttpResponse:
        common = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": edition,
            "edition": edition,
            "title": str(edition),
        }
        return TemplateResponse(request, template, common | context)

    def _back(self, edition: Edition) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:digest_edition_change", args=[edition.pk]))


def edition_url(name: str, edition: Edition) -> str:
    """Return the URL of one of the edition's pages."""
    return reverse(f"admin:digest_edition_{name}", args=[edition.pk])


def blocking_messages(error: Any) -> str:
    """Join the problems that block an edition into the text of a message."""
    return " ".join(problem.message for problem in error.problems if problem.blocking)
