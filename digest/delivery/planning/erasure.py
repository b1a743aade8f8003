"""Erase a person's data from the ledger of deliveries, or list it for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from digest.delivery.planning.start import drop_reader
from digest.models import Delivery


def clear_replies(*, subscription_ids: Sequence[int]) -> int:
    """Empty the servers' replies about the reader's messages: most repeat the address.

    The rows are kept, because the number of readers that an edition reached is counted from them.
    """
    with_reply = Delivery.objects.filter(subscription__in=subscription_ids).exclude(reply="")
    return with_reply.update(reply="")


def clear_late_replies(*, subscription_ids: Sequence[int], now: datetime) -> None:
    """Empty the replies again once nothing is on the wire: a lane records its replies late."""
    for subscription_id in subscription_ids:
        drop_reader(subscription_id=subscription_id, now=now)
    clear_replies(subscription_ids=subscription_ids)


def deliveries_to(*, subscriber_id: int) -> list[dict[str, Any]]:
    """Return the reader's deliveries, sent or not, the newest first."""
    rows = (
        Delivery.objects.filter(subscription__subscriber=subscriber_id)
        .select_related("edition__newsletter")
        .order_by("-pk")
    )
    return [
        {
            "newsletter": row.edition.newsletter.name,
            "edition": row.edition.subject,
            "date": row.edition.slot_date,
            "status": row.status,
            "reason": row.reason,
            "at": row.finished_at or row.claimed_at,
            "reply": row.reply,
        }
        for row in rows
    ]
