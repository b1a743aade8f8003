"""Draft a correction for the readers who got an edition with a mistake in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count

from digest.editions.decide.audience import REACHED, recipients
from digest.editions.draft.subject import PREHEADER_WIDTH
from digest.models import Delivery, Edition
from digest.shorten import truncate

# A correction that comes a day later corrects nothing.
USEFUL_FOR = timedelta(hours=6)
_SUBJECT_LIMIT = 150
_PREFIX = "Correction: "
_UNFINISHED = {*Edition.EDITABLE, Edition.Status.SENDING}


class NotCorrectable(Exception):
    """There is nobody to write to, or nothing to say; the message is for the editor."""


class CorrectionExists(Exception):
    """A correction of this edition is being written or sent."""

    def __init__(self, correction: Edition) -> None:
        super().__init__("There is a correction of this edition that has not gone out yet.")
        self.correction = correction


@dataclass(frozen=True)
class RevisionCount:
    """One revision of an edition, and how many readers have it."""

    number: int
    readers: int


def correctable_revisions(edition: Edition) -> list[int]:
    """Return the possible values of `through` for a correction, the most likely first.

    Usually the newest revision fixed the mistake, so the correction is for the older ones. If the
    newest one has the mistake too, the correction is for all. While the newest one is still being
    sent, that is not offered: another revision has to fix it first.
    """
    older, newest = edition.revision - 1, edition.revision
    if edition.status == Edition.Status.SENDING or not older:
        return [max(older, 1)]
    return [older, newest]


def revision_counts(edition: Edition) -> list[RevisionCount]:
    """Return every revision up to the present one, readers counted from the rows; one query."""
    reached = Delivery.objects.filter(edition=edition, status__in=REACHED)
    counts = dict(reached.order_by().values_list("revision").annotate(readers=Count("pk")))
    return [
        RevisionCount(number, counts.get(number, 0)) for number in range(1, edition.revision + 1)
    ]


def blocking_reason(edition: Edition) -> str:
    """Return why the edition cannot be corrected as it stands; empty if it can be."""
    if edition.status not in {Edition.Status.SENDING, Edition.Status.SENT}:
        return "Approve the corrected edition first, so that it is sent to the remaining readers."
    if edition.status == Edition.Status.SENDING and edition.revision == 1:
        return (
            "It is still going out: stop it and correct it, so that nobody else gets the mistake."
        )
    return ""


@transaction.atomic
def draft_correction(
    *, edition_id: int, note: str, through: int | None = None, now: datetime
) -> Edition:
    """Draft a correction of an edition that was sent, or whose fixed revision is being sent.

    The correction is for the readers of the revisions up to `through`, one of
    `correctable_revisions`. Without `through` it is for those of the older revisions. It is due
    immediately, and goes out as soon as somebody approves it.

    Raises:
        NotCorrectable: the note is empty, it is too early, or nobody has what it corrects.
        CorrectionExists: an earlier correction of it is unfinished.
    """
    edition = (
        Edition.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .get(pk=edition_id)
    )
    if through is None:
        through = correctable_revisions(edition)[0]
    _require_correctable(edition, through)
    if not note.strip():
        raise NotCorrectable("Say what was wrong and what is right: that is the correction.")
    if unfinished := edition.corrections.filter(status__in=_UNFINISHED).first():
        raise CorrectionExists(unfinished)
    return Edition.objects.create(
        newsletter=edition.newsletter,
        corrects=edition,
        corrects_through=through,
        cadence=edition.cadence,
        slot_date=now.astimezone(edition.newsletter.zone).date(),
        subject=truncate(_PREFIX + edition.subject.removeprefix(_PREFIX), _SUBJECT_LIMIT),
        preheader=truncate(note, PREHEADER_WIDTH),
        note=note.strip(),
        sends_at=now,
        deadline_at=now + USEFUL_FOR,
        drafted_at=now,
    )


def _require_correctable(edition: Edition, through: int) -> None:
    if reason := blocking_reason(edition):
        raise NotCorrectable(reason)
    if through not in correctable_revisions(edition):
        raise NotCorrectable(f"There is no version {through} that could be corrected now.")
    if not recipients(edition, through=through).exists():
        older = "an older version of " if edition.revision > through else ""
        raise NotCorrectable(f"Nobody has {older}this edition.")
