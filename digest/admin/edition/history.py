"""Tell what became of an edition without anybody's click.

The admin's history has what people did, one entry for each step. It can have none without an
account, so the edition has a log of its own for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType

from digest.admin.local_times import format_local
from digest.models import Edition


@dataclass(frozen=True)
class AutomaticStep:
    """What happened, by what, and when on the newsroom's clock."""

    what: str
    by: str
    when: str


def steps_by_itself(edition: Edition) -> list[AutomaticStep]:
    """Return the edition's steps that no user took in the admin, the earliest first."""
    steps = [*_drafted(edition), *edition.log.values_list("at", "words", "actor")]
    zone = edition.newsletter.zone
    return [AutomaticStep(what, by, format_local(at, zone, year=True)) for at, what, by in steps]


def _drafted(edition: Edition) -> list[tuple[datetime, str, str]]:
    by_hand = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Edition),
        object_id=str(edition.pk),
        action_flag=ADDITION,
    )
    if by_hand.exists():
        return []
    by = "the schedule" if edition.schedule else "a program or a command"
    return [(edition.drafted_at, "Drafted", by)]
