"""Sign an event according to Standard Webhooks (standardwebhooks.com, version 1.0.0)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from standardwebhooks import Webhook


def headers(*, message_id: str, secrets: Iterable[str], body: str, now: datetime) -> dict[str, str]:
    """Return the three headers that a receiver verifies with any of the secrets it knows."""
    at = now.astimezone(UTC)  # the library takes any time for one in UTC
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(message_id, at, body) for secret in secrets
        ),
    }
