"""Ask what becomes of a slot whose edition is sent on an earlier day."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction

from digest.editions.decide.preflight import EditionProblem
from digest.editions.decide.waves import allowed_lateness, newsroom_zone
from digest.models import Edition

# What an edition that leaves its slot has of its own.
_CHANGED = ("schedule", "slot_date", "local_time", "last_wave_at", "deadline_at")


class SlotChoice(StrEnum):
    """What becomes of the slot: the edition uses it up, or leaves it to an edition of its own."""

    USE = "use"
    KEEP = "keep"


class DayHasEdition(Exception):
    """There is an edition by hand of today already, so this one cannot be made another."""


def uses_up_slot(edition: Edition, *, now: datetime, ignore_reader_clocks: bool = False) -> bool:
    """Whether sending it now leaves the later day that its schedule made it for without one.

    An edition that follows the readers' clocks reaches them on its day, whenever it is started.
    """
    if not edition.schedule or edition.corrects_id or edition.sending_at:
        return False
    if edition.local_time is not None and not ignore_reader_clocks:
        return False
    return edition.slot_date > now.astimezone(newsroom_zone(edition)).date()


def slot_question(edition: Edition) -> EditionProblem:
    """Return the problem that somebody has to say first what becomes of the slot."""
    day = f"{edition.slot_date:%A}"
    return EditionProblem(
        "slot",
        f"This is the edition of {edition.slot_date:%A, %-d %B}. If it goes out now, there is no "
        f"edition on {day}: say so, or leave {day}'s edition to be drafted anew.",
    )


def as_todays(edition: Edition, *, now: datetime) -> Edition:
    """Return the edition as it would be if it left its slot; nothing is saved."""
    moved = copy(edition)
    moved.schedule = None
    moved.slot_date = now.astimezone(newsroom_zone(edition)).date()
    if edition.local_time is not None:
        moved.deadline_at = min(edition.deadline_at, now + allowed_lateness(edition))
        moved.local_time = moved.last_wave_at = None
    return moved


def leave_slot(edition: Edition, *, now: datetime) -> None:
    """Make it an edition of today by hand, so that its schedule drafts another for the slot.

    It keeps its stories, so the other one has new ones. It goes to everybody at one time.

    Raises:
        DayHasEdition
    """
    moved = as_todays(edition, now=now)
    changed = {name: getattr(moved, name) for name in _CHANGED}
    try:
        with transaction.atomic():
            Edition.objects.filter(pk=edition.pk).update(**changed)
    except IntegrityError:
        raise DayHasEdition("There is an edition by hand of today already.") from None
