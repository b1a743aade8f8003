"""Record what a reader agreed to, in the words they saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from subscribers.models import Consent, Newsletter

# A wording that has been shown is never changed: change the words, and the version with them.
WORDING_VERSION = "2026-01"
WORDINGS: dict[str, str] = {
    Consent.Kind.SIGNUP: (
        "By signing up you agree to get {newsletter} by e-mail. We use your address for nothing "
        "else, and every edition has a link to leave."
    ),
    Consent.Kind.CONFIRMATION: "Yes, send me {newsletter} by e-mail.",
    Consent.Kind.IMPORT: "Imported by the newsroom as a reader who agreed to get {newsletter}.",
    Consent.Kind.WITHDRAWAL: "Stop sending me {newsletter}.",
}


@dataclass(frozen=True)
class Origin:
    """Where a reader's act came from: a page and the client that asked for it."""

    page: str = ""
    language: str = ""
    ip_address: str | None = None
    user_agent: str = ""


def wording(kind: str, newsletter: Newsletter) -> str:
    """Return the sentence that stands beside the button."""
    return WORDINGS[kind].format(newsletter=newsletter.name)


def draft(
    *, subscription_id: int, newsletter: Newsletter, kind: str, origin: Origin, now: datetime
) -> Consent:
    """Return the row, unsaved; for many at once."""
    return Consent(
        subscription_id=subscription_id,
        kind=kind,
        wording=wording(kind, newsletter),
        wording_version=WORDING_VERSION,
        page=_clip(origin.page, 500),
        language=_clip(origin.language, 16),
        ip_address=origin.ip_address,
        user_agent=_clip(origin.user_agent, 300),
        created_at=now,
    )


def record(
    *, subscription_id: int, newsletter: Newsletter, kind: str, origin: Origin, now: datetime
) -> Consent:
    """Store the row."""
    row = draft(
        subscription_id=subscription_id, newsletter=newsletter, kind=kind, origin=origin, now=now
    )
    row.save(force_insert=True)
    return row


def _clip(value: str, length: int) -> str:
    # PostgreSQL's text cannot hold a NUL, which a client may well put into a header.
    return value.replace("\x00", "")[:length]
