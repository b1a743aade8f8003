"""Issue API tokens, and find the one that a request carries."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db.models import Q

from subscribers.models import ApiToken, Newsletter

# A scanner for leaked secrets recognises a token by this prefix.
PREFIX = "daybreak_"
_HINT = len(PREFIX) + 4
# "Last used" helps to find tokens that nobody needs. It is not worth a write for each request.
USED_EVERY = timedelta(minutes=1)


class BadApiToken(Exception):
    """The token is unknown, expired or revoked."""


def issue(
    *,
    name: str,
    scopes: Collection[str],
    newsletter: Newsletter | None = None,
    created_by: Any = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """Return a new token's row, and the token itself.

    The token is not stored, so it cannot be shown again. It has 256 random bits, so nobody can find
    it by trying values against its plain hash.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        hint=secret[:_HINT],
        digest=_digest(secret),
        scopes=sorted(scopes),
        newsletter=newsletter,
        created_by=created_by,
        expires_at=expires_at,
        created_at=now,
    )
    return token, secret


def authenticate(secret: str, *, now: datetime) -> ApiToken:
    """Return the row of a token that is valid now, and record that it was used.

    Raises:
        BadApiToken
    """
    token = ApiToken.objects.filter(digest=_digest(secret)).first()
    if token is None or not token.is_valid(now=now):
        raise BadApiToken
    before = now - USED_EVERY
    if token.last_used_at is None or token.last_used_at < before:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=before)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def revoke(*, token_ids: Collection[int], now: datetime) -> int:
    """Revoke these tokens immediately; return how many were not revoked before."""
    return ApiToken.objects.filter(pk__in=token_ids, revoked_at=None).update(revoked_at=now)


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()
