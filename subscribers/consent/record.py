"""Record what a reader agreed to, in the words they saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.translation import get_language, get_supported_language_variant, override
from django.utils.translation import gettext_lazy as _

from subscribers.models import Consent, Newsletter

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

# A sentence that has been shown never changes under its version: change both together. The version
# is that of the English sentences. The ledger stores the sentence in the reader's language.
WORDING_VERSION = "2026-01"
# The sentence recorded for a click on a mail program's own button, where no page of ours was seen.
ONE_CLICK = "one-click"
WORDINGS: dict[str, StrPromise] = {
    Consent.Kind.SIGNUP: _(
        "By signing up you agree to get %(newsletter)s by e-mail. We use your address for nothing "
        "else, and every edition has a link to leave."
    ),
    Consent.Kind.CONFIRMATION: _("Yes, send me %(newsletter)s by e-mail."),
    Consent.Kind.IMPORT: _(
        "Imported by the newsroom as a reader who agreed to get %(newsletter)s."
    ),
    Consent.Kind.CHANGE: _("Save my choices for %(newsletter)s."),
    Consent.Kind.WITHDRAWAL: _("Stop sending me %(newsletter)s."),
    ONE_CLICK: _("The unsubscribe button of a mail program, for %(newsletter)s."),
}


@dataclass(frozen=True)
class Origin:
    """Where a reader's act came from: a page, and the client that requested it."""

    page: str = ""
    language: str = ""
    ip_address: str | None = None
    user_agent: str = ""


# The origin of what no reader did: an import, a command.
NO_ORIGIN = Origin()


def consent_wording(kind: str, newsletter: Newsletter, *, language: str = "") -> str:
    """Return the sentence that stands beside the button, in this language or the active one."""
    with override(_known(language) or get_language()):
        return str(WORDINGS[kind]) % {"newsletter": newsletter.name}


def build_consent(
    *,
    subscription_id: int,
    newsletter: Newsletter,
    kind: str,
    origin: Origin,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    seen: str = "",
) -> Consent:
    """Return the row without saving it, so that a caller can save many at once.

    Args:
        details: what a change changed ({field: {"from": …, "to": …}}), or an import's evidence.
        seen: the sentence that the reader saw, if it was not the kind's `consent_wording`.
    """
    return Consent(
        subscription_id=subscription_id,
        kind=kind,
        wording=seen or consent_wording(kind, newsletter, language=origin.language),
        wording_version=WORDING_VERSION,
        page=_clip(origin.page, 500),
        language=_clip(origin.language, 16),
        ip_address=origin.ip_address,
        user_agent=_clip(origin.user_agent, 300),
        details=details or {},
        created_at=now,
    )


def record_consent(
    *,
    subscription_id: int,
    newsletter: Newsletter,
    kind: str,
    origin: Origin,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    seen: str = "",
) -> Consent:
    """Store the row; the arguments are those of `build_consent`."""
    row = build_consent(
        subscription_id=subscription_id,
        newsletter=newsletter,
        kind=kind,
        origin=origin,
        now=now,
        details=details,
        seen=seen,
    )
    row.save(force_insert=True)
    return row


def _known(language: str) -> str:
    """Return the supported language that fits, or "": a client may send any text."""
    try:
        return get_supported_language_variant(language) if language else ""
    except LookupError:
        return ""


def _clip(value: str, length: int) -> str:
    # PostgreSQL's text cannot hold a NUL, but a client may put one into a header.
    return value.replace("\x00", "")[:length]
