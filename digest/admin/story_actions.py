"""What an editor does to several stories of the list at once."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest, Least
from django.http import HttpRequest
from django.utils.timezone import now

from digest.events import correct
from digest.filing import apply
from digest.models import Story


class StoryActions:
    """The actions of the list of stories."""

    @admin.action(description="Hide: never propose them", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        self._confirm(request, queryset.update(is_hidden=True), "hidden")

    @admin.action(description="Show again", permissions=["change"])
    def unhide(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        self._confirm(request, queryset.update(is_hidden=False), "proposed again")

    @admin.action(description="Propose them, whatever they look like", permissions=["change"])
    def want(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        count = queryset.update(is_wanted=True, wanted_at=now(), is_hidden=False, link_died_at=None)
        self._confirm(request, count, "proposed again")

    @admin.action(description="Rank them higher", permissions=["change"])
    def higher(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        raised = Least(F("boost") + 1, Value(Story.Boost.MUCH_HIGHER))
        self._confirm(request, queryset.update(boost=raised), "ranked higher from now on")

    @admin.action(description="Rank them lower", permissions=["change"])
    def lower(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        lowered = Greatest(F("boost") - 1, Value(Story.Boost.MUCH_LOWER))
        self._confirm(request, queryset.update(boost=lowered), "ranked lower from now on")

    @admin.action(description="Rank them by themselves", permissions=["change"])
    def as_it_is(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        self._confirm(request, queryset.update(boost=Story.Boost.NONE), "ranked by themselves")

    @admin.action(description="File them by the rules, no longer by hand", permissions=["change"])
    def file_by_rules(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        count = apply.file_again(queryset.values_list("pk", flat=True))
        stories = "1 story has" if count == 1 else f"{count} stories have"
        messages.success(request, f"{stories} another section now.")

    @admin.action(description="They report one event", permissions=["change"])
    def one_event(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        try:
            count = correct.join(queryset.values_list("pk", flat=True))
        except correct.NotOneNewsletter as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"One event, with {count} reports.")

    @admin.action(description="They report another event", permissions=["change"])
    def another_event(self, request: HttpRequest, queryset: QuerySet[Story]) -> None:
        try:
            left = correct.separate(queryset.values_list("pk", flat=True))
        except correct.NotOneNewsletter as error:
            messages.error(request, str(error))
        else:
            stay = f"{left} reports stay" if left != 1 else "1 report stays"
            messages.success(request, f"An event of their own; {stay} where they were.")

    def _confirm(self, request: HttpRequest, count: int, result: str) -> None:
        stories = "1 story is" if count == 1 else f"{count} stories are"
        messages.success(request, f"{stories} {result}.")
