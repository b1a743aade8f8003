"""Show an edition as a reader will see it, without sending anything."""

from __future__ import annotations

from datetime import datetime
from html import escape

from digest.models import Edition
from digest.rendering import links, placeholders
from digest.rendering.assemble import assemble
from digest.rendering.freeze import freeze_page
from digest.rendering.personalise import personalise
from digest.rendering.readers import SAMPLE_EMAIL, SAMPLE_SUBSCRIPTION_ID, sample_reader


def sample_html(edition: Edition) -> str:
    """Return the HTML part for a reader that does not exist."""
    values = {name: escape(value) for name, value in _sample_values(edition).items()}
    return placeholders.fill(assemble(edition).html, values)


def sample_text(edition: Edition) -> str:
    """Return the text part for a reader that does not exist."""
    return placeholders.fill(assemble(edition).text, _sample_values(edition))


def sample_message(edition: Edition, *, now: datetime) -> bytes:
    """Return the whole message for a reader that does not exist, exactly as it would be sent."""
    reader = sample_reader(edition_id=edition.pk, date=now)
    message = personalise(freeze_page(edition, assemble(edition)), reader)
    assert message is not None, "only a reader who muted sections gets none"  # noqa: S101
    return message


def _sample_values(edition: Edition) -> dict[str, str]:
    return {
        "UNSUBSCRIBE": links.unsubscribe_url(SAMPLE_SUBSCRIPTION_ID),
        "PREFERENCES": links.preferences_url(SAMPLE_SUBSCRIPTION_ID, SAMPLE_EMAIL),
        "VIEW": links.view_url(edition),
        "READER": SAMPLE_EMAIL,
    }
