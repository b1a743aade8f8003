"""What an editor can do with an edition; everything that changes something is a POST."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.timezone import now
from django.views.decorators.clickjacking import xframe_options_sameorigin

from digest.admin.edition.decisions import EditionDecisions
from digest.admin.edition.form import NewEditionForm
from digest.admin.edition.pages import edition_url
from digest.admin.edition.panel import progress
from digest.admin.edition.rights import Step
from digest.delivery import send_test
from digest.editions.decide import preflight
from digest.editions.draft import draft
from digest.editions.edit import curate
from digest.models import Edition, Story
from digest.rendering import preview
from subscribers.plumbing.content_security import MAIL_FRAME, with_policy

STORIES_PER_PAGE = 20


class EditionActions(EditionDecisions):
    """The buttons of the edition page and the pages they lead to, for the edition's admin."""

    def get_urls(self) -> list[URLPattern]:
        pages = [
            ("preview", self.preview_page),
            ("preview.html", self.preview_html),
            ("progress", self.progress_fragment),
            ("stories", self.story_choices),
            ("approve", self.approve_view),
            ("withdraw", self.withdraw_view),
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
            ("_add_story", self._add_story),
        ):
            if name in request.POST:
                return action(request, obj)
        messages.success(request, "Saved.")
        return self._back(obj)

    def _add_story(self, request: HttpRequest, edition: Edition) -> HttpResponse:
        """Add a story that is new since the draft; the form is saved already."""
        number = request.POST["_add_story"]
        try:
            item = curate.add_story(edition_id=edition.pk, story_id=int(number[:18]))
        except (ValueError, Story.DoesNotExist):
            messages.error(request, "Not added: there is no such story any more.")
        except (curate.AlreadyPrinted, curate.NotEditable) as error:
            messages.error(request, f"Not added. {error}")
        else:
            self.log_change(request, edition, f"Added “{item.story}”, which is new.")
            messages.success(request, f"Added at the end: “{item.story}”.")
        return self._back(edition)

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
        edition = self._edition(request, pk, step=Step.EDIT)
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
                    self.log_addition(request, edition, "Drafted by hand.")
                    messages.success(request, "Drafted from the newest stories.")
                else:
                    messages.info(request, "This edition exists already.")
                return self._back(edition)
        context = {"form": form, "title": "New edition", "opts": self.model._meta}
        context |= self.admin_site.each_context(request)
        return TemplateResponse(request, "admin/digest/edition/new.html", context)


def in_colour_scheme(html: str, scheme: str) -> str:
    """Show a mail as a client in this colour scheme would, whatever the editor's own scheme is."""
    # The new conditions hold always or never, whatever else the media query says.
    other = "light" if scheme == "dark" else "dark"
    html = re.sub(rf"\(prefers-color-scheme:\s*{scheme}\)", "(min-width: 0px)", html)
    return re.sub(rf"\(prefers-color-scheme:\s*{other}\)", "(max-width: 0px)", html)
