"""Take a person out of the ledger of deliveries, or tell them what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from digest.delivery.plan import drop_reader
from digest.models import Delivery


def forget(*, subscription_ids: Sequence[int]) -> int:
    """Empty what servers said about the reader's messages, for it mostly repeats the address.

    Rows are kept: how many an edition reached is counted from them.
    """
    said = Delivery.objects.filter(subscription__in=subscription_ids).exclude(reply="")
    return said.update(reply="")


def forget_again(*, subscription_ids: Sequence[int], now: datetime) -> None:
    """The same once nothing is on the wire any more: a lane writes down its answers late."""
    for subscription_id in subscription_ids:
        drop_reader(subscription_id=subscription_id, now=now)
    forget(subscription_ids=subscription_ids)


def sent_to(*, subscriber_id: int) -> list[dict[str, Any]]:
    """What was sent to the reader or would have been, the newest first."""
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
