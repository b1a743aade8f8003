"""When editions go out: the rule, and what it comes to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.timezone import now
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from digest.admin.clock import local
from digest.models import Schedule
from digest.models.schedules import Weekday, every_day
from digest.schedule import Rule, next_slot


def next_times(schedule: Schedule, *, after: datetime, count: int = 3) -> list[datetime]:
    """The schedule's next send times."""
    rule = Rule(frozenset(schedule.weekdays), schedule.local_time, schedule.zone)
    times: list[datetime] = []
    for _ in range(count):
        after = next_slot(rule, after=after).sends_at
        times.append(after)
    return times


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    weekdays = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=Weekday.choices,
        initial=every_day,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": "Choose at least one day."},
    )


@admin.register(Schedule)
class ScheduleAdmin(ModelAdmin):
    form = ScheduleForm
    list_display = ["name", "newsletter", "days", "at", "next_time", "policy", "is_active"]
    list_filter = ["newsletter", "is_active", "unapproved"]
    list_select_related = ["newsletter"]
    search_fields = ["name", "newsletter__name"]
    autocomplete_fields = ["newsletter"]
    fieldsets = (
        (None, {"fields": ("newsletter", "name", "is_active", "upcoming")}),
        ("When", {"fields": ("weekdays", "local_time", "timezone")}),
        ("Before and after", {"fields": ("draft_lead_minutes", "unapproved", "deadline_minutes")}),
        ("How much", {"fields": ("min_stories", "max_stories")}),
    )
    readonly_fields = ["upcoming"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Its editions would lose the slot that makes each of them one: switch it off instead.
        if obj is not None and obj.editions.exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    @display(description="Days")
    def days(self, schedule: Schedule) -> str:
        if len(schedule.weekdays) == len(Weekday):
            return "every day"
        return ", ".join(Weekday(day).label[:3] for day in sorted(schedule.weekdays))

    @display(description="At", ordering="local_time")
    def at(self, schedule: Schedule) -> str:
        return f"{schedule.local_time:%H:%M} {schedule.zone.key}"

    @display(description="Next", empty_value="switched off")
    def next_time(self, schedule: Schedule) -> str | None:
        if not schedule.is_active:
            return None
        return local(next_times(schedule, after=now(), count=1)[0], schedule.zone)

    @display(description="Unapproved", ordering="unapproved", label={"hold": "info"})
    def policy(self, schedule: Schedule) -> str:
        return schedule.get_unapproved_display()

    @display(description="Goes out next")
    def upcoming(self, schedule: Schedule) -> str:
        if not schedule.pk:
            return "The next three send times stand here once it is saved."
        times = [
            (local(when, schedule.zone), local(when, UTC))
            for when in next_times(schedule, after=now())
        ]
        context = {"times": times, "active": schedule.is_active, "zone": schedule.zone.key}
        return render_to_string("admin/digest/schedule/upcoming.html", context)
