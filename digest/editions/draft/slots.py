"""Find the slots that are due, and compute the times of a slot's edition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet

from digest.models import Cadence, Edition, Schedule
from digest.schedule import Rule, Slot, next_slot, slot_on, slots, worldwide_span
from subscribers.models import Newsletter

# An edition without a schedule goes out at this local time, or an hour from now at the earliest.
AD_HOC_TIME = time(7, 0)
AD_HOC_STORIES = 12
# How far back missed slots are recorded.
_WEEK = timedelta(days=7)
# How much later the last zone on earth reaches a local time than the first.
_WORLDWIDE_SPAN = timedelta(hours=26)


@dataclass(frozen=True)
class DueSlot:
    """A slot whose edition should exist by now."""

    schedule_id: int
    date: date


@dataclass(frozen=True)
class SlotPlan:
    """When an edition goes out, and how many stories it may have.

    If the edition follows the readers' clocks, `local_time` is the hour on their clocks,
    `sends_at` is when the first of them may get it, and `last_wave_at` is when the last zone on
    earth reaches that hour.
    """

    slot_date: date
    sends_at: datetime
    deadline_at: datetime
    schedule: Schedule | None
    max_stories: int
    local_time: time | None = None
    last_wave_at: datetime | None = None

    @property
    def times(self) -> dict[str, Any]:
        """The fields of the edition that hold its times."""
        return {
            "sends_at": self.sends_at,
            "deadline_at": self.deadline_at,
            "local_time": self.local_time,
            "last_wave_at": self.last_wave_at,
        }


def active_schedules(schedules: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Return the schedules that make editions; one without a weekday makes none."""
    return schedules.filter(is_active=True).exclude(weekdays=[])


def rule_of(schedule: Schedule) -> Rule:
    return Rule(frozenset(schedule.weekdays), schedule.local_time, schedule.zone)


def due_slots(*, now: datetime) -> list[DueSlot]:
    """Return the active schedules' slots that should have an edition and have none.

    A slot is due from its draft lead until its deadline, so a beat that was down at the send time
    still drafts it. Two kinds of slots are left out:

    - Past slots from before the schedule was changed: a schedule that was made or changed at nine
      does not catch up on seven o'clock.
    - Slots that nobody waits for: an edition for nobody is work for editors, and a false alarm if
      they leave it.
    """
    due = _without_edition(now, _current_slots)
    schedules = Schedule.objects.in_bulk({slot.schedule_id for slot in due})
    awaited = {pk for pk, schedule in schedules.items() if schedule.is_awaited()}
    return [slot for slot in due if slot.schedule_id in awaited]


def drafting_soon(*, now: datetime, within: timedelta) -> set[int]:
    """Return the ids of newsletters with a draft of what is new to be made by `now + within`."""
    coming = _without_edition(now + within, _current_slots)
    schedules = Schedule.objects.filter(
        pk__in={slot.schedule_id for slot in coming}, cadence=Cadence.DAILY
    )
    return set(schedules.values_list("newsletter_id", flat=True))


def missed_slots(*, now: datetime) -> list[DueSlot]:
    """Return the slots of the last week whose deadline passed before they had an edition."""
    return _without_edition(now, _past_slots)


def _without_edition(
    now: datetime, slots_of: Callable[[Schedule, datetime], list[Slot]]
) -> list[DueSlot]:
    schedules = active_schedules(Schedule.objects.select_related("newsletter"))
    wanted = {
        (schedule.pk, slot.date) for schedule in schedules for slot in slots_of(schedule, now)
    }
    there = Edition.objects.filter(
        schedule__in={pk for pk, _ in wanted}, slot_date__in={day for _, day in wanted}
    )
    missing = wanted - set(there.values_list("schedule_id", "slot_date"))
    return [DueSlot(schedule_id, day) for schedule_id, day in sorted(missing)]


def _current_slots(schedule: Schedule, now: datetime) -> list[Slot]:
    lead = timedelta(minutes=schedule.draft_lead_minutes)
    allowed_lateness = timedelta(minutes=schedule.deadline_minutes)
    return [
        slot
        for slot in slots(rule_of(schedule), after=now - allowed_lateness - _WORLDWIDE_SPAN)
        if (plan := slot_plan(schedule, slot)).sends_at <= now + lead
        and plan.deadline_at > now
        and (slot.sends_at > now or slot.sends_at >= schedule.changed_at)
    ]


def _past_slots(schedule: Schedule, now: datetime) -> list[Slot]:
    return [
        slot
        for slot in slots(rule_of(schedule), after=max(now - _WEEK, schedule.changed_at))
        if slot_plan(schedule, slot).deadline_at <= now
    ]


def next_open_slots(schedules: Sequence[Schedule], *, now: datetime) -> dict[int, Slot]:
    """Return, by schedule id, the next slot whose edition was not sent early or skipped.

    One query for all schedules. A schedule that makes no editions has no entry.
    """
    over = Edition.objects.filter(
        schedule__in=schedules,
        slot_date__gte=(now - timedelta(days=2)).date(),
        status__in=[Edition.Status.SENDING, Edition.Status.SENT, Edition.Status.SKIPPED],
    )
    closed = set(over.values_list("schedule_id", "slot_date"))
    found = {
        schedule.pk: next(
            (s for s in slots(rule_of(schedule), after=now) if (schedule.pk, s.date) not in closed),
            None,
        )
        for schedule in schedules
        if schedule.is_active and schedule.weekdays
    }
    return {pk: slot for pk, slot in found.items() if slot is not None}


def plan_for(
    newsletter: Newsletter,
    day: date | None,
    schedule: Schedule | None,
    now: datetime,
    *,
    cadence: str = Cadence.DAILY,
) -> SlotPlan:
    """Return the plan of an edition of that day, or of the next slot; ad hoc without a schedule."""
    if schedule:
        return slot_plan(schedule, _slot(schedule, day, now))
    active = list(active_schedules(newsletter.schedules.filter(cadence=cadence)))
    for own in active:
        own.newsletter = newsletter
    plans = [
        slot_plan(own, slot)
        for own in active
        if (slot := slot_on(rule_of(own), day) if day else next_slot(rule_of(own), after=now))
    ]
    there = Edition.objects.filter(newsletter=newsletter, schedule__in=active)
    drafted = set(there.values_list("schedule_id", "slot_date"))
    # An hour after the deadline of today's slot, an editor may still want an edition of today. So
    # a slot whose deadline has passed counts only if its edition exists.
    usable = [
        plan
        for plan in plans
        if plan.deadline_at > now
        or (plan.schedule and (plan.schedule.pk, plan.slot_date) in drafted)
    ]
    if usable:
        return min(usable, key=lambda plan: plan.sends_at)
    return _ad_hoc(newsletter, day or now.astimezone(newsletter.zone).date(), now)


def _slot(schedule: Schedule, day: date | None, now: datetime) -> Slot:
    rule = rule_of(schedule)
    slot = slot_on(rule, day) if day else next_slot(rule, after=now)
    if slot is None:
        raise ValueError(f"{schedule} has no slot on {day}")
    return slot


def slot_plan(schedule: Schedule, slot: Slot) -> SlotPlan:
    """Return the plan of the edition of a schedule's slot."""
    by_readers = schedule.clock == Schedule.Clock.READER
    first = last = slot.sends_at
    if by_readers:
        first, last = worldwide_span(slot.date, schedule.local_time)
        if schedule.head_start_hours is not None:
            first = max(first, slot.sends_at - timedelta(hours=schedule.head_start_hours))
    return SlotPlan(
        slot_date=slot.date,
        sends_at=first,
        deadline_at=last + timedelta(minutes=schedule.deadline_minutes),
        schedule=schedule,
        max_stories=schedule.max_stories,
        local_time=schedule.local_time if by_readers else None,
        last_wave_at=last if by_readers else None,
    )


def _ad_hoc(newsletter: Newsletter, day: date, now: datetime) -> SlotPlan:
    """Plan an edition for AD_HOC_TIME of its day, or in an hour; useful until that day ends."""
    everyday = frozenset(range(7))
    slot = slot_on(Rule(everyday, AD_HOC_TIME, newsletter.zone), day)
    end = next_slot(
        Rule(everyday, time(0), newsletter.zone),
        after=datetime.combine(day, time(23, 59), newsletter.zone).astimezone(UTC),
    ).sends_at
    today = now.astimezone(newsletter.zone).date()
    if slot is None or day < today:
        # The day is past, or the zone skips it: it has no time that is still to come.
        return SlotPlan(day, end, end, None, AD_HOC_STORIES)
    sends_at = max(slot.sends_at, now + timedelta(hours=1)) if day == today else slot.sends_at
    deadline = max(end, sends_at + timedelta(hours=3))
    return SlotPlan(day, sends_at, deadline, None, AD_HOC_STORIES)
