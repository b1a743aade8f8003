"""Write to the readers who got an edition before it was corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet

from digest.editions.subject import PREHEADER_LENGTH, shorten
from digest.models import Delivery, Edition

# A correction that comes a day later corrects nothing.
USEFUL_FOR = timedelta(hours=6)
_SUBJECT_LIMIT = 150
_UNFINISHED = {*Edition.EDITABLE, Edition.Status.SENDING}
# They have it, or may have it.
_REACHED = [Delivery.Status.SENT, Delivery.Status.UNCERTAIN]


class NotCorrectable(Exception):
    """There is nobody to write to, or nothing to say; the message is for the editor."""


class AlreadyThere(Exception):
    """A correction of this edition is being written or sent."""

    def __init__(self, correction: Edition) -> None:
        super().__init__("There is a correction of this edition that has not gone out yet.")
        self.correction = correction


@dataclass(frozen=True)
class Version:
    """One revision of an edition, and how many readers have it."""

    number: int
    readers: int


def outdated(edition: Edition) -> QuerySet[Delivery]:
    """The rows of the readers who got an older revision than the present one."""
    reached = Delivery.objects.filter(edition=edition, status__in=_REACHED)
    return reached.filter(revision__lt=edition.revision)


def versions(edition: Edition) -> list[Version]:
    """Every revision up to the present one, counted from the rows; one query."""
    reached = Delivery.objects.filter(edition=edition, status__in=_REACHED)
    counts = dict(
        reached.order_by().values_list("revision").annotate(readers=Count("pk")),
    )
    return [Version(number, counts.get(number, 0)) for number in range(1, edition.revision + 1)]


@transaction.atomic
def create(*, edition_id: int, note: str, now: datetime) -> Edition:
    """Draft a correction note of an edition that is going out, or went out, corrected.

    It is due at once, and goes out as soon as somebody approves it.

    Raises:
        NotCorrectable: the note is empty, or nobody has an older version.
        AlreadyThere: an earlier correction of it is unfinished.
    """
    edition = (
        Edition.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .get(pk=edition_id)
    )
    _insist_on_readers(edition)
    if not note.strip():
        raise NotCorrectable("Say what was wrong and what is right: that is the correction.")
    if unfinished := edition.corrections.filter(status__in=_UNFINISHED).first():
        raise AlreadyThere(unfinished)
    return Edition.objects.create(
        newsletter=edition.newsletter,
        corrects=edition,
        slot_date=now.astimezone(edition.newsletter.zone).date(),
        subject=shorten(f"Correction: {edition.subject}", _SUBJECT_LIMIT),
        preheader=shorten(note, PREHEADER_LENGTH),
        note=note.strip(),
        sends_at=now,
        deadline_at=now + USEFUL_FOR,
        drafted_at=now,
    )


def _insist_on_readers(edition: Edition) -> None:
    if edition.status not in {Edition.Status.SENDING, Edition.Status.SENT}:
        raise NotCorrectable("Let the corrected edition go on first.")
    if not outdated(edition).exists():
        raise NotCorrectable("Nobody has an older version of this edition.")
