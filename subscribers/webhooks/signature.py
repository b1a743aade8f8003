"""Sign an event according to Standard Webhooks (standardwebhooks.com, version 1.0.0)."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256


def headers(
    *, message_id: str, secrets: Iterable[str], body: bytes, now: datetime
) -> dict[str, str]:
    """Return the three headers that a receiver verifies with any of the secrets it knows."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_mac(secret, signed)}" for secret in secrets),
    }


def _mac(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix("whsec_"))
    return b64encode(hmac.digest(key, signed, sha256)).decode()
