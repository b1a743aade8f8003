"""Bind an editor's approval to exactly what the edition says at that moment."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, QuerySet

from digest.editions.decide import audience, preflight
from digest.models import Edition, EditionLogEntry
from digest.rendering.content_hash import content_hash


class NotApprovable(Exception):
    """The edition cannot be approved; `problems` tell the editor why."""

    def __init__(self, problems: list[preflight.EditionProblem]) -> None:
        self.problems = problems
        super().__init__(" ".join(problem.message for problem in problems))


def approve(
    *,
    edition_id: int,
    user: AbstractBaseUser | None = None,
    actor: str = "",
    words: str = "Approved",
    now: datetime,
) -> Edition:
    """Approve a draft or held edition as it stands; approving again approves its present content.

    `actor` says in the edition's log who it is, if it is not a user of the admin, and `words` what
    they did.

    Raises:
        NotApprovable: it has blocking problems, its deadline is past, or it is already under way.
    """
    with transaction.atomic():
        edition = Edition.objects.select_for_update(of=("self",)).get(pk=edition_id)
        if found := _blocking_problems(edition, now):
            raise NotApprovable(found)
        content = content_hash(edition)
        # The row is locked. The states are checked again so that the UPDATE is safe by itself.
        Edition.objects.filter(pk=edition_id, status__in=Edition.EDITABLE).update(
            status=Edition.Status.APPROVED,
            reason="",
            reason_detail="",
            notice_due_at=None,
            approved_at=now,
            approved_by=user,
            approved_hash=content,
            revision=next_revision(edition, content),
        )
        if actor:
            EditionLogEntry.objects.create(edition_id=edition_id, at=now, actor=actor, words=words)
    edition.refresh_from_db()
    return edition


def _blocking_problems(edition: Edition, now: datetime) -> list[preflight.EditionProblem]:
    if edition.status not in Edition.EDITABLE:
        return [
            preflight.EditionProblem(
                "not-open", f"The edition is already {edition.get_status_display()}."
            )
        ]
    if now >= edition.deadline_at:
        return [preflight.EditionProblem("past-deadline", "The edition is past its deadline.")]
    found = [problem for problem in preflight.find_problems(edition) if problem.blocking]
    # Approving does not accept an unusual number of readers. That is asked separately if the
    # edition was held for it, or would be held for it now because its send time has come.
    if edition.reason == Edition.Reason.AUDIENCE or edition.sends_at <= now:
        found += unusual_audience(edition, now)
    return found


def unusual_audience(edition: Edition, now: datetime) -> list[preflight.EditionProblem]:
    """Return the problem if a person has to accept the number of readers first."""
    unusual = audience.estimate(edition, now=now).warning
    return [preflight.EditionProblem("audience", unusual)] if unusual else []


def next_revision(edition: Edition, content: str) -> int:
    """Return the revision number that this content would go out as.

    It is the next number if the present revision was frozen with other content. `content` is the
    edition's content_hash.
    """
    if not edition.sending_at:
        return edition.revision
    frozen = edition.frozen_pages.filter(revision=edition.revision)
    return edition.revision + frozen.exclude(content_hash=content).exists()


def withdraw(*, edition_id: int) -> bool:
    """Withdraw an approval; return whether there was one.

    The edition becomes a draft again or, if readers have it already, is held.
    """
    approved = Edition.objects.filter(pk=edition_id, status=Edition.Status.APPROVED)
    return _void(approved, reason=Edition.Reason.STOPPED)


def void_if_changed(*, edition_id: int) -> bool:
    """Void the approval if the edition no longer says what was approved; return whether it did."""
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    if edition.status != Edition.Status.APPROVED:
        return False
    if content_hash(edition) == edition.approved_hash:
        return False
    approved = Edition.objects.filter(
        pk=edition_id, status=Edition.Status.APPROVED, approved_hash=edition.approved_hash
    )
    return _void(approved, reason=Edition.Reason.CHANGED)


def _void(approved: QuerySet[Edition], *, reason: str) -> bool:
    # Nor does its schedule send it any more as it was proposed: somebody has decided otherwise.
    cleared = {
        "approved_at": None,
        "approved_by": None,
        "approved_hash": "",
        "proposed_hash": "",
    }
    if approved.filter(sending_at=None).update(status=Edition.Status.DRAFT, **cleared):
        return True
    # Readers have it already, so it cannot be a draft. Editors are told when its send time comes.
    return bool(
        approved.update(
            status=Edition.Status.HELD, reason=reason, notice_due_at=F("sends_at"), **cleared
        )
    )


def fingerprint(edition: Edition) -> str:
    """Return a fingerprint of what an editor sees: all that the mail shows, and when it is sent."""
    times = f"{edition.sends_at.timestamp():.0f}.{edition.deadline_at.timestamp():.0f}"
    return f"{content_hash(edition)}.{times}"
