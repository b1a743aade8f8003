"""When editions go out: the schedule's rule, and the send times that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from digest.admin.local_times import format_local
from digest.admin.preset import PresetAdmin
from digest.admin.send_times import format_send_time, head_start_lines
from digest.editions.draft.rhythm import (
    count_weekly_readers,
    has_daily_schedule,
    has_weekly_schedule,
)
from digest.editions.draft.slots import SlotPlan, active_schedules, rule_of, slot_plan
from digest.models import Cadence, Schedule
from digest.models.schedules import Weekday, every_day
from digest.schedule import next_slot

NOBODY_YET = "Nobody has chosen the best of the week yet"
READERS_CLOCK = "where the reader is"


def next_plans(schedule: Schedule, *, after: datetime, count: int = 3) -> list[SlotPlan]:
    """Return the times of the schedule's next editions."""
    rule = rule_of(schedule)
    plans: list[SlotPlan] = []
    for _ in range(count):
        slot = next_slot(rule, after=after)
        plans.append(slot_plan(schedule, slot))
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
class ScheduleAdmin(PresetAdmin):
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
        ("Mail to the editors", {"fields": ("tell_of_draft", "reminder_minutes")}),
        ("How many stories", {"fields": ("min_stories", "max_stories", "too_few")}),
    )
    readonly_fields = ["upcoming", "head_starts", "waiting"]
    # By the newsroom's clock no reader's hour comes before the newsroom's.
    conditional_fields = {"head_start_hours": "clock == 'reader'"}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the readers of a weekly schedule, or what a head start by readers' clocks does."""
        if obj is None:
            return self.fieldsets
        (title, first), (when_title, when), *others = self.fieldsets
        weekly = ["waiting"] if obj.cadence == Cadence.WEEKLY else []
        starts = ["head_starts"] if obj.clock == Schedule.Clock.READER else []
        return [
            (title, {"fields": (*first["fields"], *weekly)}),
            (when_title, {"fields": (*when["fields"], *starts)}),
            *others,
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Fix the cadence once there is an edition: a newsletter may have a schedule for each."""
        fixed = obj is not None and obj.editions.exists()
        return [*self.readonly_fields, *(["cadence"] if fixed else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Its editions would lose the slot that keeps each of them unique. Switch it off instead.
        if obj is not None and obj.editions.exists():
            return False
        return bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        with _warning_weekly_readers(request, Schedule.objects.filter(pk=obj.pk)):
            super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        with _warning_weekly_readers(request, Schedule.objects.filter(pk=obj.pk)):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        with _warning_weekly_readers(request, queryset):
            super().delete_queryset(request, queryset)

    @display(description="Contents", ordering="cadence", label={"the best of the week": "info"})
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
        return format_send_time(plan, schedule.zone)

    @display(description="Unapproved", ordering="unapproved", label={"hold": "info"})
    def policy(self, schedule: Schedule) -> str:
        return schedule.get_unapproved_display()

    @display(description="Goes out next")
    def upcoming(self, schedule: Schedule) -> str:
        if not schedule.pk:
            return "The next three send times are shown here after you save."
        context = {
            "times": [_times(schedule, plan) for plan in next_plans(schedule, after=now())],
            "active": schedule.is_active,
            "by_readers": schedule.clock == Schedule.Clock.READER,
        }
        return render_to_string("admin/digest/schedule/upcoming.html", context)

    @display(description="Who waits for it")
    def waiting(self, schedule: Schedule) -> str:
        if not has_daily_schedule(newsletter_id=schedule.newsletter_id):
            return "Every reader: no other schedule of the newsletter is active."
        count = count_weekly_readers(newsletter_id=schedule.newsletter_id)
        if not count:
            return f"{NOBODY_YET}, so no edition is drafted until somebody does."
        return (
            f"Readers who chose the best of the week: {count:,}. While no weekly schedule of the "
            "newsletter is active, they get every edition instead."
        )

    @display(description="At their own hour")
    def head_starts(self, schedule: Schedule) -> str:
        (plan,) = next_plans(schedule, after=now(), count=1)
        lines = head_start_lines(schedule, day_at=plan.sends_at)
        return render_to_string("admin/digest/schedule/head_starts.html", {"lines": lines})


@contextmanager
def _warning_weekly_readers(request: HttpRequest, schedules: QuerySet[Schedule]) -> Iterator[None]:
    """Warn what weekly readers get instead, if the change to `schedules` ends their edition."""
    weekly = active_schedules(schedules.filter(cadence=Cadence.WEEKLY))
    newsletters = {schedule.newsletter for schedule in weekly.select_related("newsletter")}
    yield
    for newsletter in newsletters:
        if has_weekly_schedule(newsletter_id=newsletter.pk):
            continue
        if count := count_weekly_readers(newsletter_id=newsletter.pk):
            messages.warning(
                request,
                f"{newsletter} has no weekly edition any more. The readers who chose it "
                f"({count:,}) get every edition instead, until a weekly schedule is active again.",
            )


def _times(schedule: Schedule, plan: SlotPlan) -> dict[str, str]:
    """Return a coming edition's send time by the schedule's clock and in UTC, and its draft's."""
    drafted_at = plan.sends_at - timedelta(minutes=schedule.draft_lead_minutes)
    return {
        "local": format_send_time(plan, schedule.zone),
        "utc": format_local(plan.sends_at, UTC) if plan.last_wave_at is None else "",
        "day": f"{plan.slot_date:%a %-d %b}",
        "drafted_at": format_local(drafted_at, schedule.zone),
    }
