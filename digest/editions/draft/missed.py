"""Record the editions that were never drafted because nothing ran before their deadline."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from digest.editions.draft.slots import missed_slots, plan_for
from digest.models import Edition, EditionLogEntry, Schedule

NOTHING_RAN = "Nothing ran in time to draft it."


def record_missed(*, now: datetime) -> list[int]:
    """Create a skipped edition, with the reason, for each missed slot; return their ids.

    The editors are told of each by mail.

    Safe to run twice and in parallel: a slot has one edition, whoever makes it. A slot that nobody
    waited for is not recorded. Its schedule is marked as changed, so that the slot is not recorded
    later either, once somebody waits.
    """
    made = []
    for missed in missed_slots(now=now):
        schedule = Schedule.objects.select_related("newsletter").get(pk=missed.schedule_id)
        if not schedule.is_awaited():
            Schedule.objects.filter(pk=schedule.pk).update(changed_at=now)
            continue
        plan = plan_for(schedule.newsletter, missed.date, schedule, now)
        with transaction.atomic():
            edition, is_new = Edition.objects.get_or_create(
                newsletter=schedule.newsletter,
                schedule=schedule,
                slot_date=missed.date,
                corrects=None,
                defaults={
                    "status": Edition.Status.SKIPPED,
                    "reason": Edition.Reason.PAST_DEADLINE,
                    "reason_detail": NOTHING_RAN,
                    "subject": schedule.newsletter.name,
                    "cadence": schedule.cadence,
                    "drafted_at": now,
                    "notice_due_at": now,
                    **plan.times,
                },
            )
            if is_new:
                edition.log.create(
                    at=now, actor=EditionLogEntry.AUTOPILOT, words=f"Missed: {NOTHING_RAN}"
                )
                made.append(edition.pk)
    return made
