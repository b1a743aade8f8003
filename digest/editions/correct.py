"""Write to the readers who got an edition with a mistake in it."""

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
_PREFIX = "Correction: "
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


def misinformed(edition: Edition, *, through: int | None) -> QuerySet[Delivery]:
    """The rows of the readers who got the edition in a revision up to `through`."""
    reached = Delivery.objects.filter(edition=edition, status__in=_REACHED)
    return reached.filter(revision__lte=through or 0)


def choices(edition: Edition) -> list[int]:
    """Through which revision a correction of the edition can go, the most likely first.

    Mostly the newest revision mended the mistake. The mistake may be in that one too; while it is
    still going out, that is for another revision to mend first.
    """
    older, newest = edition.revision - 1, edition.revision
    if edition.status == Edition.Status.SENDING or not older:
        return [max(older, 1)]
    return [older, newest]


def versions(edition: Edition) -> list[Version]:
    """Every revision up to the present one, counted from the rows; one query."""
    reached = Delivery.objects.filter(edition=edition, status__in=_REACHED)
    counts = dict(
        reached.order_by().values_list("revision").annotate(readers=Count("pk")),
    )
    return [Version(number, counts.get(number, 0)) for number in range(1, edition.revision + 1)]


def obstacle(edition: Edition) -> str:
    """Why there can be no correction of the edition as it stands; empty where there can."""
    if edition.status not in {Edition.Status.SENDING, Edition.Status.SENT}:
        return "Let the corrected edition go on first."
    if edition.status == Edition.Status.SENDING and edition.revision == 1:
        return (
            "It is still going out: stop it and correct it, so that nobody else gets the mistake."
        )
    return ""


@transaction.atomic
def create(*, edition_id: int, note: str, through: int | None = None, now: datetime) -> Edition:
    """Draft a correction note of an edition that was sent, or that goes out corrected.

    It is for the readers of the revisions up to `through`, one of `choices`; without it, of the
    older ones. It is due at once, and goes out as soon as somebody approves it.

    Raises:
        NotCorrectable: the note is empty, it is too early, or nobody has what it corrects.
        AlreadyThere: an earlier correction of it is unfinished.
    """
    edition = (
        Edition.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .get(pk=edition_id)
    )
    if through is None:
        through = choices(edition)[0]
    _insist_on_readers(edition, through)
    if not note.strip():
        raise NotCorrectable("Say what was wrong and what is right: that is the correction.")
    if unfinished := edition.corrections.filter(status__in=_UNFINISHED).first():
        raise AlreadyThere(unfinished)
    return Edition.objects.create(
        newsletter=edition.newsletter,
        corrects=edition,
        corrects_through=through,
        cadence=edition.cadence,
        slot_date=now.astimezone(edition.newsletter.zone).date(),
        subject=shorten(_PREFIX + edition.subject.removeprefix(_PREFIX), _SUBJECT_LIMIT),
        preheader=shorten(note, PREHEADER_LENGTH),
        note=note.strip(),
        sends_at=now,
        deadline_at=now + USEFUL_FOR,
        drafted_at=now,
    )


def _insist_on_readers(edition: Edition, through: int) -> None:
    if too_early := obstacle(edition):
        raise NotCorrectable(too_early)
    if through not in choices(edition):
        raise NotCorrectable(f"There is no version {through} that could be corrected now.")
    if not misinformed(edition, through=through).exists():
        older = "an older version of " if edition.revision > through else ""
        raise NotCorrectable(f"Nobody has {older}this edition.")
