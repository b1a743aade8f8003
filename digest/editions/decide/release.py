"""Decide what becomes of an edition when its send time has come."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from functools import partial

from django.db import transaction
from django.db.models import Q

from digest.editions.decide.approve import NotApprovable, approve
from digest.editions.decide.preflight import min_stories, too_few_policy
from digest.editions.decide.stop import NOT_STARTED, hold, skip
from digest.models import Edition, EditionLogEntry, Schedule
from digest.rendering.content_hash import content_hash
from subscribers.models import IllegalMove

_Status, _Reason = Edition.Status, Edition.Reason


class Release(Enum):
    """What became of an edition at its send time."""

    SEND = "send"
    HELD = "held"
    SKIPPED = "skipped"
    NOTHING = "nothing"


def due_editions(*, now: datetime) -> list[int]:
    """Return the ids of the editions whose send time has come and that need a decision now.

    A held edition waits for its editors until the deadline, and so do the drafts of a correction
    and of an extra edition.
    An edition held in mid-send belongs to the delivery, which closes it, until an editor approves
    it again.
    """
    approved = Q(status=_Status.APPROVED)
    on_approval = Q(corrects__isnull=False) | Q(extra_story__isnull=False)
    undecided = Q(~on_approval, status=_Status.DRAFT, sending_at=None)
    waiting = Q(status=_Status.HELD) | Q(on_approval, status=_Status.DRAFT)
    late = Q(waiting, sending_at=None, deadline_at__lte=now)
    due = Edition.objects.filter(approved | undecided | late, sends_at__lte=now)
    return list(due.order_by("sends_at").values_list("pk", flat=True))


def release(*, edition_id: int, now: datetime) -> Release:
    """Decide whether the edition is sent now; hold or skip it if it is not.

    Safe to run twice and in parallel: each move names the state it starts from. A run that does
    not find that state was overtaken by another one, and changes nothing.
    """
    edition = Edition.objects.select_related("schedule").get(pk=edition_id)
    if now < edition.sends_at or edition.status not in Edition.EDITABLE:
        return Release.NOTHING
    try:
        return _decide(edition, now)
    except IllegalMove:
        return Release.NOTHING


def _decide(edition: Edition, now: datetime) -> Release:
    if now >= edition.deadline_at:
        return _past_deadline(edition, now)
    if edition.status == _Status.APPROVED:
        return Release.SEND
    if edition.status == _Status.HELD or edition.sending_at or edition.goes_out_on_approval:
        return Release.NOTHING
    becomes = _if_too_few(edition)
    if becomes is None:
        return _unapproved(edition, now)
    detail = f"{edition.items.count()} of at least {min_stories(edition)} stories"
    move = hold if becomes is Release.HELD else partial(skip, notice=now)
    move(
        edition_id=edition.pk,
        reason=_Reason.TOO_FEW_STORIES,
        detail=detail,
        from_status=[_Status.DRAFT],
        now=now,
    )
    return becomes


def what_if_left(edition: Edition) -> Release:
    """Return what becomes of a draft at its send time if nobody approves or changes it.

    The checks of that time may still hold it.
    """
    by_itself = Release.SEND if goes_out_unapproved(edition) else Release.HELD
    return _if_too_few(edition) or by_itself


def _if_too_few(edition: Edition) -> Release | None:
    """Return what its schedule does with it for having too few stories; None: no more than ever.

    Where a short edition is treated like any other, one without a story is skipped all the same.
    """
    count = edition.items.count()
    if count >= min_stories(edition):
        return None
    policy = too_few_policy(edition)
    if policy == Schedule.TooFew.HOLD:
        return Release.HELD
    return Release.SKIPPED if policy == Schedule.TooFew.SKIP or not count else None


def _why_not_sent(edition: Edition) -> str:
    if edition.status == _Status.APPROVED:
        return NOT_STARTED
    if edition.status == _Status.HELD:
        return f"It was held: {edition.get_reason_display()}. No reader got it."
    if edition.schedule and edition.schedule.unapproved == Schedule.Unapproved.SEND:
        return "Nothing ran in time to start it. No reader got it."
    return "Nobody had approved it. No reader got it."


def _past_deadline(edition: Edition, now: datetime) -> Release:
    if edition.sending_at:
        return Release.NOTHING
    skip(
        edition_id=edition.pk,
        reason=_Reason.PAST_DEADLINE,
        detail=_why_not_sent(edition),
        notice=now,
        from_status=[edition.status],
        now=now,
    )
    return Release.SKIPPED


def goes_out_unapproved(edition: Edition) -> bool:
    """Whether its schedule sends it without an approval: only as it was proposed."""
    return _sends_unapproved(edition) and not _touched(edition)


def _sends_unapproved(edition: Edition) -> bool:
    """Tell the schedule's policy; an edition without a schedule is held for the editors."""
    schedule = edition.schedule
    return schedule is not None and schedule.unapproved == Schedule.Unapproved.SEND


def _touched(edition: Edition) -> str:
    """Say why it is not what its schedule proposed; empty if it is."""
    if not edition.proposed_hash:
        return "Its schedule did not propose it, or its approval was withdrawn."
    if content_hash(edition) != edition.proposed_hash:
        return "It was changed after its schedule had proposed it."
    return ""


def _unapproved(edition: Edition, now: datetime) -> Release:
    """Send it if that is the schedule's policy and nobody has touched it; otherwise hold it."""
    reason, detail = _Reason.NOT_APPROVED, ""
    if _sends_unapproved(edition):
        try:
            detail = _approve_as_proposed(edition, now)
        except NotApprovable as refused:
            is_unusual = [problem.code for problem in refused.problems] == ["audience"]
            reason = _Reason.AUDIENCE if is_unusual else _Reason.NOT_SENDABLE
            detail = str(refused)
        else:
            if not detail:
                return Release.SEND
    hold(
        edition_id=edition.pk,
        reason=reason,
        detail=detail,
        now=now,
        from_status=[_Status.DRAFT],
    )
    return Release.HELD


@transaction.atomic
def _approve_as_proposed(edition: Edition, now: datetime) -> str:
    """Approve it, or return why it is not what was proposed.

    The row is locked, so that nobody changes it between the look at it and the approval.
    """
    locked = Edition.objects.select_for_update(of=("self",)).select_related("newsletter")
    touched = _touched(locked.get(pk=edition.pk))
    if not touched:
        words = "Approved as it was proposed, since nobody had approved or changed it"
        count, minimum = edition.items.count(), min_stories(edition)
        if count < minimum:
            words += f", with {count} of at least {minimum} stories"
        approve(edition_id=edition.pk, actor=EditionLogEntry.AUTOPILOT, words=words, now=now)
    return touched
