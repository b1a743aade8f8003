"""When editions go out: the rule, and what it comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
from digest.admin.wave_words import goes_out, head_start_words
from digest.editions.slots import SlotPlan, planned, rule_of
from digest.models import Schedule
from digest.models.schedules import Weekday, every_day
from digest.schedule import next_slot

READERS_CLOCK = "where the reader is"


def next_plans(schedule: Schedule, *, after: datetime, count: int = 3) -> list[SlotPlan]:
    """Where the schedule's next editions will stand."""
    rule = rule_of(schedule)
    plans: list[SlotPlan] = []
    for _ in range(count):
        slot = next_slot(rule, after=after)
        plans.append(planned(schedule, slot))
        after = slot.sends_at
    return plans


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
    list_display = [
        "name",
        "newsletter",
        "prints",
        "days",
        "at",
        "next_time",
        "policy",
        "is_active",
    ]
    list_filter = ["newsletter", "is_active", "cadence", "clock", "unapproved"]
    list_select_related = ["newsletter"]
    search_fields = ["name", "newsletter__name"]
    autocomplete_fields = ["newsletter"]
    fieldsets = (
        (None, {"fields": ("newsletter", "name", "is_active", "cadence", "upcoming")}),
        ("When", {"fields": ("weekdays", "local_time", "timezone", "clock", "head_start_hours")}),
        ("Before and after", {"fields": ("draft_lead_minutes", "unapproved", "deadline_minutes")}),
        ("How much", {"fields": ("min_stories", "max_stories")}),
    )
    readonly_fields = ["upcoming", "head_starts"]
    # By the newsroom's clock nobody is ahead of it.
    conditional_fields = {"head_start_hours": "clock == 'reader'"}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What a head start does, for a schedule by the readers' clocks."""
        if obj is None or obj.clock == Schedule.Clock.NEWSROOM:
            return self.fieldsets
        first, (title, when), *others = self.fieldsets
        return [first, (title, {"fields": (*when["fields"], "head_starts")}), *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What an edition was made for stays: a newsletter may have a schedule for each kind."""
        fixed = obj is not None and obj.editions.exists()
        return [*self.readonly_fields, *(["cadence"] if fixed else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Its editions would lose the slot that makes each of them one: switch it off instead.
        if obj is not None and obj.editions.exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    @display(description="Prints", ordering="cadence", label={"the best of the week": "info"})
    def prints(self, schedule: Schedule) -> str:
        return schedule.get_cadence_display()

    @display(description="Days")
    def days(self, schedule: Schedule) -> str:
        if len(schedule.weekdays) == len(Weekday):
            return "every day"
        return ", ".join(Weekday(day).label[:3] for day in sorted(schedule.weekdays))

    @display(description="At", ordering="local_time")
    def at(self, schedule: Schedule) -> str:
        by_readers = schedule.clock == Schedule.Clock.READER
        return f"{schedule.local_time:%H:%M} {READERS_CLOCK if by_readers else schedule.zone.key}"

    @display(description="Next", empty_value="switched off")
    def next_time(self, schedule: Schedule) -> str | None:
        if not schedule.is_active:
            return None
        (plan,) = next_plans(schedule, after=now(), count=1)
        return goes_out(plan, schedule.zone)

    @display(description="Unapproved", ordering="unapproved", label={"hold": "info"})
    def policy(self, schedule: Schedule) -> str:
        return schedule.get_unapproved_display()

    @display(description="Goes out next")
    def upcoming(self, schedule: Schedule) -> str:
        if not schedule.pk:
            return "The next three send times stand here once it is saved."
        context = {
            "times": [_lines(schedule, plan) for plan in next_plans(schedule, after=now())],
            "active": schedule.is_active,
            "by_readers": schedule.clock == Schedule.Clock.READER,
        }
        return render_to_string("admin/digest/schedule/upcoming.html", context)

    @display(description="At their own hour")
    def head_starts(self, schedule: Schedule) -> str:
        (plan,) = next_plans(schedule, after=now(), count=1)
        lines = head_start_words(schedule, day_at=plan.sends_at)
        return render_to_string("admin/digest/schedule/head_starts.html", {"lines": lines})


def _lines(schedule: Schedule, plan: SlotPlan) -> dict[str, str]:
    """One edition to come: when it is on the schedule's clock, in UTC, and when it is drafted."""
    drafted_at = plan.sends_at - timedelta(minutes=schedule.draft_lead_minutes)
    return {
        "there": goes_out(plan, schedule.zone),
        "utc": local(plan.sends_at, UTC) if plan.last_wave_at is None else "",
        "day": f"{plan.slot_date:%a %-d %b}",
        "drafted": local(drafted_at, schedule.zone),
    }
