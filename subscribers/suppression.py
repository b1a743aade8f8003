"""Keep the list of addresses that get no mail, whatever they subscribe to."""

from __future__ import annotations

from datetime import datetime

from subscribers.addresses import compare_key
from subscribers.models import Suppression


def suppress(*, email: str, reason: str, detail: str = "", now: datetime) -> bool:
    """Put the address on the list; the first reason stays.

    Returns:
        Whether it was not on the list before.
    """
    _, created = Suppression.objects.get_or_create(
        email_key=compare_key(email),
        defaults={"reason": reason, "detail": detail[:300], "created_at": now},
    )
    return created


def is_suppressed(email: str) -> bool:
    return Suppression.objects.filter(email_key=compare_key(email)).exists()
