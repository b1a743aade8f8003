"""Approve an edition as the editor saw it, to be sent immediately or at its time."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from digest.editions.decide.approve import NotApprovable, approve, fingerprint, unusual_audience
from digest.editions.decide.audience import accept_audience
from digest.editions.decide.early import (
    DayHasEdition,
    SlotChoice,
    leave_slot,
    slot_question,
    uses_up_slot,
)
from digest.editions.decide.preflight import EditionProblem
from digest.editions.decide.waves import allowed_lateness
from digest.models import Edition

_Status = Edition.Status


def approve_as_seen(
    *,
    edition_id: int,
    seen: str,
    readers: int | None = None,
    ignore_reader_clocks: bool = False,
    slot: SlotChoice | None = None,
    user: AbstractBaseUser | None = None,
    actor: str = "",
    immediately: bool,
    now: datetime,
) -> Edition:
    """Approve the edition as the editor saw it, if nobody has.

    With `immediately` now becomes its send time; otherwise it keeps its own. `seen` is the
    fingerprint (approve.fingerprint) of what the editor saw, and `readers` is the number of readers
    that they accepted. If the edition follows the readers' clocks, each reader still gets it at
    their own hour, unless `ignore_reader_clocks` is true. `slot` says what becomes of the slot of a
    later day (decide.early); an edition that leaves it is approved as one of today. `actor` is as
    in `approve`.

    Raises:
        NotApprovable: it has changed since, has blocking problems, is past its deadline, nobody
            accepted an unusual number of readers, or nobody said what becomes of its slot.
    """
    with transaction.atomic():
        locked = Edition.objects.select_for_update(of=("self",)).select_related(
            "newsletter", "schedule__newsletter"
        )
        edition = locked.get(pk=edition_id)
        if seen != fingerprint(edition):
            problem = "It has changed since you looked at it. Look at it again, then send it."
            raise NotApprovable([EditionProblem("changed", problem)])
        if readers is not None:
            accept_audience(edition_id=edition_id, user=user, count=readers)
            edition = locked.get(pk=edition_id)
        leaves_slot = False
        if immediately:
            leaves_slot = _decide_slot(edition, slot, ignore_reader_clocks, now)
            edition = locked.get(pk=edition_id)
        if immediately and (unusual := unusual_audience(edition, now)):
            raise NotApprovable(unusual)
        if leaves_slot or edition.status != _Status.APPROVED:
            approve(edition_id=edition_id, user=user, actor=actor, now=now)
        elif now >= edition.deadline_at:
            raise NotApprovable(
                [EditionProblem("past-deadline", "The edition is past its deadline.")]
            )
        if immediately:
            Edition.objects.filter(pk=edition_id, sends_at__gt=now).update(sends_at=now)
        if ignore_reader_clocks:
            _ignore_reader_clocks(edition, now)
    edition.refresh_from_db()
    return edition


def _decide_slot(
    edition: Edition, slot: SlotChoice | None, ignore_reader_clocks: bool, now: datetime
) -> bool:
    """Leave the slot of a later day if somebody chose that; return whether it was left."""
    if not uses_up_slot(edition, now=now, ignore_reader_clocks=ignore_reader_clocks):
        return False
    if slot is None:
        raise NotApprovable([slot_question(edition)])
    if slot is SlotChoice.USE:
        return False
    try:
        leave_slot(edition, now=now)
    except DayHasEdition as error:
        raise NotApprovable([EditionProblem("slot", str(error))]) from None
    return True


def _ignore_reader_clocks(edition: Edition, now: datetime) -> None:
    """Make the edition follow the newsroom's clock; nothing changes once sending has started."""
    by_readers = Edition.objects.filter(
        pk=edition.pk, local_time__isnull=False, sending_at__isnull=True
    )
    deadline = min(edition.deadline_at, now + allowed_lateness(edition))
    by_readers.update(local_time=None, last_wave_at=None, deadline_at=deadline)
