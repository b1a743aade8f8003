"""Bind an editor's approval to exactly what the edition says at that moment."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import F, QuerySet

from digest.editions.decide import audience, preflight
from digest.models import Cadence, Edition, EditionItem
from subscribers.models import Newsletter


class NotApprovable(Exception):
    """The edition cannot be approved; `problems` tell the editor why."""

    def __init__(self, problems: list[preflight.EditionProblem]) -> None:
        self.problems = problems
        super().__init__(" ".join(problem.message for problem in problems))


def approve(*, edition_id: int, user: AbstractBaseUser | None = None, now: datetime) -> Edition:
    """Approve a draft or held edition as it stands; approving again approves its present content.

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
    cleared = {"approved_at": None, "approved_by": None, "approved_hash": ""}
    if approved.filter(sending_at=None).update(status=Edition.Status.DRAFT, **cleared):
        return True
    # Readers have it already, so it cannot be a draft. Editors are told when its send time comes.
    return bool(
        approved.update(
            status=Edition.Status.HELD, reason=reason, notice_due_at=F("sends_at"), **cleared
        )
    )


def content_hash(edition: Edition) -> str:
    """Return the SHA-256, in hex, of all that the mail shows; one query for the items."""
    items = edition.items.select_related("story", "section")
    content: dict[str, Any] = {
        "date": edition.slot_date.isoformat(),
        "subject": edition.subject,
        "preheader": edition.preheader,
        "note": edition.note,
        "newsletter": _masthead(edition.newsletter),
        "items": [_item(item) for item in items],
    }
    # These keys are added only where they apply. So the hash of every other edition stays what it
    # was before corrections and weekly editions existed.
    if edition.corrects_id:
        content["corrects"] = [edition.corrects_id, edition.corrects_through]
    if edition.cadence != Cadence.DAILY:
        content["cadence"] = edition.cadence
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def fingerprint(edition: Edition) -> str:
    """Return a fingerprint of what an editor sees: all that the mail shows, and when it is sent."""
    times = f"{edition.sends_at.timestamp():.0f}.{edition.deadline_at.timestamp():.0f}"
    return f"{content_hash(edition)}.{times}"


def _masthead(newsletter: Newsletter) -> dict[str, str]:
    return {
        "name": newsletter.name,
        "slug": newsletter.slug,
        "promise": newsletter.promise,
        "from_name": newsletter.from_name,
        "from_email": newsletter.from_email,
        "reply_to": newsletter.reply_to,
        "language": newsletter.language,
        "accent_color": newsletter.accent_color,
        "postal_line": newsletter.postal_line,
    }


def _item(item: EditionItem) -> dict[str, Any]:
    story, section = item.story, item.section
    return {
        "story": story.pk,
        "section": [section.pk, section.name, section.position] if section else None,
        "headline": item.shown_headline,
        "summary": item.shown_summary,
        # The link of a pasted story follows from its id and SITE_URL, which no editor changes.
        "url": story.url,
        "source": story.source_name,
        "author": story.author,
        "image": [
            story.image_url,
            story.image_alt,
            story.image_credit,
            story.image_width,
            story.image_height,
        ],
    }
