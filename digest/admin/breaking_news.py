"""Turn a story into an extra edition, from the list of stories or from the story's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.timezone import now

from digest.admin.kept_forms import KeepsWhatWasTyped
from digest.editions.draft import extra
from digest.models import EditionItem, Story

# How many editions with the same news a warning names.
MAX_PLACES = 3


class SendsBreakingNews(KeepsWhatWasTyped):
    """“Send as breaking news”: drafts the extra edition, and opens its page to approve it there."""

    change_form_outer_before_template = "admin/digest/story/breaking_news.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.breaking_news_view)
        own = path("<int:pk>/breaking-news/", view, name="digest_story_breaking_news")
        return [own, *super().get_urls()]

    def has_breaking_news_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("digest.add_edition"))

    @admin.action(description="Send as breaking news…", permissions=["breaking_news"])
    def breaking_news(self, request: HttpRequest, queryset: QuerySet[Story]) -> Any:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            messages.error(
                request,
                "Choose one story: it leads the extra edition, whose page lets you add others.",
            )
            return None
        return self._draft_extra(request, chosen[0])

    def breaking_news_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_breaking_news_permission(request):
            raise PermissionDenied("Only somebody who may add editions can do this.")
        story = Story.objects.filter(pk=pk).first()
        if story is None:
            raise Http404("There is no such story.")
        return self._draft_extra(request, story)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        story = self.get_object(request, object_id)
        context = {
            "extra_edition": story and extra.extra_edition_of(story),
            "may_break_news": self.has_breaking_news_permission(request)
            and settings.EXTRA_EDITIONS_PER_DAY,
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _draft_extra(self, request: HttpRequest, story: Story) -> HttpResponse:
        places = list(extra.places_of_event(story)[:MAX_PLACES])
        try:
            edition = extra.draft_extra(story_id=story.pk, now=now())
        except extra.NoExtraEditions as error:
            messages.error(request, str(error))
            return redirect("admin:digest_story_change", story.pk)
        except extra.ExtraExists as exists:
            messages.info(request, f"{exists} This is it.")
            return redirect("admin:digest_edition_change", exists.extra.pk)
        # The edition's history says what it was made from, and by whom.
        self.log_addition(request, edition, f"{extra.made_from(story)}.")
        messages.success(request, "Drafted as breaking news. Nobody gets it before it is approved.")
        if places:
            messages.warning(request, f"Readers may get this twice. {_in_words(places, story)}")
        return redirect("admin:digest_edition_change", edition.pk)


def _in_words(places: Sequence[EditionItem], story: Story) -> str:
    """Say in which editions the story and other reports of its event are."""
    return " ".join(
        f"{'It' if place.story_id == story.pk else f'“{place.story}”, of the same event,'} is in "
        f"{place.edition} ({place.edition.get_status_display()})."
        for place in places
    )
