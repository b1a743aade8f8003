"""Propose an edition for a slot: its stories, their order, its subject and preheader."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction

from digest.editions.draft.inbox_lines import write_inbox_lines
from digest.editions.draft.passed_over import (
    short_sections,
    why_so_few,
)
from digest.editions.draft.pool import count_new, fresh_since
from digest.editions.draft.propose import Proposal, propose_as_of, take_turns
from digest.editions.draft.slots import plan_for
from digest.models import Cadence, Edition, EditionItem, EditionLogEntry, Schedule
from digest.rendering.content_hash import content_hash
from subscribers.models import Newsletter


class DayIsOver(Exception):
    """Nothing can be sent on that date any more, so nothing is drafted for it."""


def draft_edition(
    *,
    newsletter: Newsletter,
    date: date | None = None,
    schedule: Schedule | None = None,
    cadence: str = Cadence.DAILY,
    now: datetime,
) -> Edition:
    """Return the edition of a slot; make and fill it if there is none.

    Without `schedule`, the newsletter's schedule of that cadence is taken that has a slot on
    `date`, or without `date` the next slot. If there is no such schedule, the edition is an ad hoc
    one of that date.

    A schedule that sends what nobody approved sends this, as long as nobody changes it. But if it
    is drafted without `schedule`, so by hand, when its send time has passed already, it waits for
    an approval: nobody would have the time to look at it.

    Raises:
        DayIsOver: the date is past and has no edition, or it is beyond the calendar's end.
    """
    try:
        plan = plan_for(newsletter, date, schedule, now, cadence=cadence)
    except OverflowError:
        raise DayIsOver(f"{date} is not a day that an edition can have.") from None
    slot = {
        "newsletter": newsletter,
        "schedule": plan.schedule,
        "slot_date": plan.slot_date,
        "corrects": None,
        "extra_story": None,
    }
    cadence = plan.schedule.cadence if plan.schedule else cadence
    # Without a schedule, a date may have one edition of each cadence. A schedule's slot has one
    # edition, whatever its cadence was when it was made.
    by_hand = {} if plan.schedule else {"cadence": cadence}
    # All in one transaction: nobody sees an edition without its stories. Of two calls that race,
    # the second waits for the first. If they are for one slot, it returns the first one's edition.
    with transaction.atomic():
        take_turns(newsletter.pk)
        edition, created = Edition.objects.get_or_create(
            **slot, **by_hand, defaults={"cadence": cadence, "drafted_at": now, **plan.times}
        )
        if created:
            if plan.deadline_at <= now:
                raise DayIsOver(f"{plan.slot_date:%-d %B %Y} is over; choose a later date.")
            _fill(edition, limit=plan.max_stories, now=now)
            if schedule or plan.sends_at > now:
                edition.proposed_hash = content_hash(edition)
            _plan_notices(edition, by_hand=schedule is None, now=now)
            edition.save(update_fields=["proposed_hash", "draft_notice_due_at", "reminder_due_at"])
    return edition


def _plan_notices(edition: Edition, *, by_hand: bool, now: datetime) -> None:
    """Say when the editors are told of it; whoever drafts by hand knows of the draft."""
    if not by_hand and edition.sends_at > now:
        edition.draft_notice_due_at = now
    if edition.reminds_at and edition.reminds_at > now:
        edition.reminder_due_at = edition.reminds_at


def _fill(edition: Edition, *, limit: int, now: datetime) -> None:
    proposal = propose_as_of(edition, limit=limit, now=now)
    # An editor may have put one of these stories into another edition at this moment.
    EditionItem.objects.bulk_create(proposal.items, ignore_conflicts=True)
    taken = dict(edition.items.values_list("story_id", "section_id"))
    headlines = [item.shown_headline for item in proposal.items if item.story_id in taken]
    write_inbox_lines(edition, headlines)
    edition.proposed_stories = sorted(taken)
    edition.save(update_fields=["subject", "preheader", "proposed_stories"])
    sections = list(edition.newsletter.sections.all())
    for words in filter(
        None,
        [_how_many(edition, proposal, taken, now=now), short_sections(sections, taken.values())],
    ):
        edition.log.create(at=now, actor=EditionLogEntry.AUTOPILOT, words=words)


def _how_many(
    edition: Edition, proposal: Proposal, taken: Collection[int], *, now: datetime
) -> str:
    """Return in words how many stories a draft has, and of a short one why."""
    if edition.cadence == Cadence.WEEKLY:
        return f"Drafted with {len(taken)} stories of the week"
    since = fresh_since(edition, now)
    wanted = edition.schedule.min_stories if edition.schedule else 1
    if len(taken) < wanted:
        return why_so_few(
            edition.newsletter,
            proposed=taken,
            left_out=proposal.left_out,
            wanted=wanted,
            since=since,
            now=now,
        )
    return f"Drafted with {_kinds(edition, proposal, taken, since=since, now=now)}"


def _kinds(
    edition: Edition,
    proposal: Proposal,
    taken: Collection[int],
    *,
    since: datetime,
    now: datetime,
) -> str:
    """Return in words how many of its stories are new, and how many are not."""
    items = [item for item in proposal.items if item.story_id in taken]
    follow_ups = sum(item.is_follow_up for item in items)
    late = sum(item.story.new_since < since for item in items if not item.is_follow_up)
    new = len(items) - follow_ups - late
    words = [f"{new} of {count_new(edition, now=now)} new stories"]
    if late:
        words.append(f"{late} that arrived late")
    if follow_ups:
        words.append(f"{follow_ups} {'follow-up' if follow_ups == 1 else 'follow-ups'}")
    return ", ".join(words)
