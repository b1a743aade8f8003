"""Propose an edition's subject and preheader, beside what the editions before it said."""

from __future__ import annotations

from collections.abc import Sequence

from digest.editions.draft.subject import REMEMBERED, propose_preheaders, propose_subjects
from digest.models import Edition


def subjects_for(edition: Edition, headlines: Sequence[str]) -> list[str]:
    """Return up to three subjects, the best first, unlike those of the last seven editions."""
    before = (
        Edition.objects.filter(newsletter=edition.newsletter_id, corrects=None)
        .filter(drafted_at__lt=edition.drafted_at)
        .exclude(status=Edition.Status.SKIPPED)
        .order_by("-drafted_at")
        .values_list("subject", flat=True)[:REMEMBERED]
    )
    return propose_subjects(headlines, fallback=edition.newsletter.name, earlier=list(before))


def preheaders_for(edition: Edition, headlines: Sequence[str]) -> list[str]:
    """Return up to three preheaders, the best first, that do not repeat the edition's subject."""
    return propose_preheaders(
        headlines, subject=edition.subject, fallback=edition.newsletter.promise
    )


def write_inbox_lines(edition: Edition, headlines: Sequence[str]) -> None:
    """Set the edition's subject and preheader to the best ones; nothing is saved."""
    edition.subject = subjects_for(edition, headlines)[0]
    edition.preheader = next(iter(preheaders_for(edition, headlines)), "")
