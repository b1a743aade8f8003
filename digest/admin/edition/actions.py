"""What an editor can do with an edition; everything that changes something is a POST."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.views.decorators.clickjacking import xframe_options_sameorigin

from digest.admin.edition.form import NewEditionForm
from digest.admin.edition.pages import blocking_messages, edition_url
from digest.admin.edition.panel import progress
from digest.admin.edition.under_way import EditionUnderWay
from digest.admin.send_times import format_send_time
from digest.delivery import send_test
from digest.editions.decide import approve, audience, preflight, send_now, stop
from digest.editions.draft import draft
from digest.editions.edit import curate, reopen
from digest.models import Edition
from digest.rendering import preview
from digest.tasks import release
from subscribers.models import IllegalMove
from subscribers.plumbing.content_security import MAIL_FRAME, with_policy
from subscribers.plumbing.queue import enqueue

STORIES_PER_PAGE = 20


class EditionActions(EditionUnderWay):
    """The buttons of the edition page and the pages they lead to, for the edition's admin."""

    def get_urls(self) -> list[URLPattern]:
        pages = [
            ("preview", self.preview_page),
            ("preview.html", self.preview_html),
            ("progress", self.progress_fragment),
            ("stories", self.story_choices),
            ("send", self.send_page),
            ("skip", self.skip_page),
            ("reopen", self.reopen),
            ("stop", self.stop_now),
            ("end", self.end_page),
            ("correct", self.correct_page),
            ("resend", self.resend_page),
        ]
        urls = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"digest_edition_{name.replace('.', '_')}",
            )
            for name, view in pages
        ]
        return [*urls, *super().get_urls()]

    # --- Buttons beside the form: each saves first, so that it acts on what the editor sees ---

    def response_change(self, request: HttpRequest, obj: Edition) -> HttpResponse:
        for name, action in (
            ("_preview", self._to_preview),
            ("_test", self._send_test),
            ("_approve", self._approve),
            ("_withdraw", self._withdraw),
            ("_send", self._to_send),
            ("_skip", self._to_skip),
        ):
            if name in request.POST:
                return action(request, obj)
        messages.success(request, "Saved.")
        return self._back(obj)

    def _to_preview(self, request: HttpRequest, edition: Edition) -> HttpResponse:
        return HttpResponseRedirect(edition_url("preview", edition))

    def _to_send(self, request: HttpRequest, edition: Edition) -> HttpResponse:
        return HttpResponseRedirect(edition_url("send", edition))

    def _to_skip(self, request: HttpRequest, edition: Edition) -> HttpResponse:
        return HttpResponseRedirect(edition_url("skip", edition))

    def _send_test(self, request: HttpRequest, edition: Edition) -> HttpResponse:
        address = getattr(request.user, "email", "")
        if not address:
            messages.error(
                request,
                "Your account has no e-mail address, so no test can be sent to you.",
            )
            return self._back(edition)
        try:
            send_test.send_test(edition_id=edition.pk, to=address, now=now())
        except send_test.TestNotSent as error:
            messages.error(request, f"The test could not be sent to {address}: {error}")
        else:
            messages.success(request, f"Saved, and a test is on its way to {address}.")
        return self._back(edition)

    def _approve(self, request: Any, edition: Edition) -> HttpResponse:
        accepted = _number(request.POST.get("audience", ""))
        if accepted is not None:
            audience.accept_audience(edition_id=edition.pk, user=request.user, count=accepted)
        try:
            approved = approve.approve(edition_id=edition.pk, user=request.user, now=now())
        except approve.NotApprovable as error:
            is_unusual = any(problem.code == "audience" for problem in error.problems)
            hint = (
                " If the number is right, confirm it on the page “Send now…”." if is_unusual else ""
            )
            messages.error(request, f"Saved, but not approved. {blocking_messages(error)}{hint}")
        else:
            is_due = approved.sends_at <= now()
            if is_due:
                enqueue(release, edition_id=edition.pk)
            when = "now" if is_due else format_send_time(approved, edition.newsletter.zone)
            if is_due and approved.local_time:
                when += " to the readers whose hour has passed, and to the others at their hour"
            messages.success(request, f"Saved and approved. It goes out {when}.")
        return self._back(edition)

    def _withdraw(self, request: HttpRequest, edition: Edition) -> HttpResponse:
        approve.withdraw(edition_id=edition.pk)
        status = "held, because its sending has begun" if edition.sending_at else "a draft again"
        messages.success(request, f"The approval is withdrawn; the edition is {status}.")
        return self._back(edition)

    # --- Confirmation pages ---

    def send_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk, change=True)
        if request.method == "POST":
            return self._send_now(request, edition)
        if edition.sending_at:
            return self._confirmation_page(
                request, edition, "resume", {"remaining": audience.remaining(edition, now=now())}
            )
        return self._confirmation_page(
            request, edition, "send", {"estimate": audience.estimate(edition, now=now())}
        )

    def _send_now(self, request: Any, edition: Edition) -> HttpResponse:
        try:
            send_now.approve_as_seen(
                edition_id=edition.pk,
                seen=request.POST.get("seen", ""),
                readers=_number(request.POST.get("readers", "")),
                immediately=True,
                ignore_reader_clocks="ignore_reader_clocks" in request.POST,
                user=request.user,
                now=now(),
            )
        except approve.NotApprovable as error:
            messages.error(request, f"Not sent. {blocking_messages(error)}")
        else:
            enqueue(release, edition_id=edition.pk)
            messages.success(request, "It is on its way.")
        return self._back(edition)

    def skip_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk, change=True)
        if request.method != "POST":
            return self._confirmation_page(request, edition, "skip", {})
        # PostgreSQL's text cannot hold a NUL, and no form field checks this value.
        detail = request.POST.get("detail", "").replace("\0", "").strip()
        try:
            stop.skip(edition_id=edition.pk, reason=Edition.Reason.BY_EDITOR, detail=detail)
        except IllegalMove:
            messages.error(request, f"It is {edition.get_status_display()} and cannot be skipped.")
        else:
            messages.success(request, "Skipped. Its stories are free for a later edition.")
        return self._back(edition)

    def reopen(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        edition = self._edition(request, pk, change=True)
        try:
            taken = reopen.reopen(edition_id=edition.pk, now=now())
        except reopen.TooLateToReopen as error:
            messages.error(request, str(error))
            return self._back(edition)
        messages.success(request, "It is a draft again.")
        if taken:
            names = ", ".join(f"“{story.title}”" for story in taken)
            messages.warning(request, f"Left out, because they are in another edition: {names}.")
        return self._back(edition)

    # --- Previews and progress ---

    def preview_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        edition = self._edition(request, pk)
        context = {
            "text": preview.sample_text(edition),
            "problems": preflight.mail_problems(edition),
            "dark": "dark" in request.GET,
            "phone": "phone" in request.GET,
        }
        return self._render(request, edition, "admin/digest/edition/preview.html", context)

    @xframe_options_sameorigin
    @with_policy(MAIL_FRAME)
    def preview_html(self, request: HttpRequest, pk: int) -> HttpResponse:
        html = preview.sample_html(self._edition(request, pk))
        html = in_colour_scheme(html, "dark" if "dark" in request.GET else "light")
        # Links open in a new tab, not inside the preview's frame.
        html = html.replace("<head>", '<head><base target="_blank">', 1)
        return HttpResponse(html)

    def progress_fragment(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part of the panel that htmx refreshes while an edition is sent."""
        edition = self._edition(request, pk)
        context = progress(edition, now=now()) | {"edition": edition}
        response = TemplateResponse(request, "admin/digest/edition/progress.html", context)
        if request.GET.get("was") != edition.status:
            # The status has changed, so the rest of the page and its buttons change too.
            response["HX-Refresh"] = "true"
        return response

    def story_choices(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Return stories for the form's autocomplete; each says if it was printed before."""
        edition = self._edition(request, pk, change=True)
        term = request.GET.get("term", "").replace("\0", "").strip()
        page = request.GET.get("page", "")
        number = max(1, int(page)) if re.fullmatch(r"[0-9]{1,6}", page) else 1
        stories = curate.addable_stories(edition, term=term)
        start = (number - 1) * STORIES_PER_PAGE
        rows: list[Any] = list(stories[start : start + STORIES_PER_PAGE + 1])
        results = [
            {"id": str(s.pk), "text": " · ".join(filter(None, [s.title, s.source_name, s.printed]))}
            for s in rows[:STORIES_PER_PAGE]
        ]
        more = len(rows) > STORIES_PER_PAGE
        return JsonResponse({"results": results, "pagination": {"more": more}})

    # --- A new edition by hand ---

    def new_edition(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewEditionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            moment = now()
            try:
                edition = draft.draft_edition(**form.cleaned_data, now=moment)
            except draft.DayIsOver as error:
                form.add_error("date", str(error))
            else:
                if edition.drafted_at == moment:
                    messages.success(request, "Drafted from the newest stories.")
                else:
                    messages.info(request, "This edition exists already.")
                return self._back(edition)
        context = {"form": form, "title": "New edition", "opts": self.model._meta}
        context |= self.admin_site.each_context(request)
        return TemplateResponse(request, "admin/digest/edition/new.html", context)


def _number(text: str) -> int | None:
    """Return the number of readers that the page showed and the editor accepted."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def in_colour_scheme(html: str, scheme: str) -> str:
    """Show a mail as a client in this colour scheme would, whatever the editor's own scheme is."""
    # The new conditions hold always or never, whatever else the media query says.
    other = "light" if scheme == "dark" else "dark"
    html = re.sub(rf"\(prefers-color-scheme:\s*{scheme}\)", "(min-width: 0px)", html)
    return re.sub(rf"\(prefers-color-scheme:\s*{other}\)", "(max-width: 0px)", html)
