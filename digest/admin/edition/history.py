"""Tell what became of an edition without anybody's click.

The admin's history has what people did, one entry for each step. Nobody's account stands behind
the rest, so it has no entry there: the edition's own row knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType

from digest.admin.local_times import format_local
from digest.models import Edition, Schedule

_Status, _Reason = Edition.Status, Edition.Reason
# What an editor did is in the history already.
_BY_EDITORS = {_Reason.BY_EDITOR, _Reason.STOPPED}


@dataclass(frozen=True)
class AutomaticStep:
    """What happened, by what, and when on the newsroom's clock (empty: not known)."""

    what: str
    by: str
    when: str


def steps_by_itself(edition: Edition) -> list[AutomaticStep]:
    """Return the edition's steps that no user took in the admin, the earliest first."""
    steps = [
        *_drafted(edition),
        *_approved(edition),
        (edition.sending_at, "Sending began", "the workers"),
        (edition.sent_at, "Sent: every reader was done", "the workers"),
    ]
    known = sorted((when, what, by) for when, what, by in steps if when)
    zone = edition.newsletter.zone
    found = [
        AutomaticStep(what, by, format_local(when, zone, year=True)) for when, what, by in known
    ]
    return found + _stopped(edition)


def _drafted(edition: Edition) -> list[tuple[datetime | None, str, str]]:
    by_hand = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Edition),
        object_id=str(edition.pk),
        action_flag=ADDITION,
    )
    if by_hand.exists():
        return []
    by = "the schedule" if edition.schedule else "a program or a command"
    return [(edition.drafted_at, "Drafted", by)]


def _approved(edition: Edition) -> list[tuple[datetime | None, str, str]]:
    if edition.approved_by_id is not None:
        return []
    sends_unapproved = (
        edition.schedule is not None and edition.schedule.unapproved == Schedule.Unapproved.SEND
    )
    by = "the schedule, a program or a command" if sends_unapproved else "a program or a command"
    return [(edition.approved_at, "Approved", by)]


def _stopped(edition: Edition) -> list[AutomaticStep]:
    """Return why it is held or was skipped; its row does not say since when."""
    if edition.status not in {_Status.HELD, _Status.SKIPPED} or edition.reason in _BY_EDITORS:
        return []
    detail = f": {edition.reason_detail}" if edition.reason_detail else ""
    what = "Held" if edition.status == _Status.HELD else "Skipped"
    return [AutomaticStep(f"{what}, {edition.get_reason_display()}{detail}", "the schedule", "")]
