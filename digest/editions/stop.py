"""Stop an edition, for now (held) or for good (skipped), and say why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from digest.models import Delivery, Edition, EditionItem
from subscribers.models import IllegalMove

_Status = Edition.Status
# What may be stopped from outside; an edition on the wire is held by its delivery alone.
_UNSENT = frozenset({_Status.DRAFT, _Status.HELD, _Status.APPROVED})


def skip(
    *,
    edition_id: int,
    reason: str,
    detail: str = "",
    from_status: Collection[str] = _UNSENT,
) -> None:
    """Give the edition up and let go of its stories, so that a later one can print them.

    Raises:
        IllegalMove: it is on its way, or was sent or skipped before.
    """
    # One that was stopped in mid-send has readers: their rows say how it ends (delivery.plan).
    nobodys = Q(sending_at=None) | Q(status=_Status.SENDING)
    with transaction.atomic():
        _move(edition_id, from_status, nobodys, to=_Status.SKIPPED, reason=reason, detail=detail)
        # What readers of a part-sent edition have seen stays printed.
        seen = Delivery.objects.filter(edition_id=edition_id, status__in=["sent", "uncertain"])
        if not seen.exists():
            EditionItem.objects.filter(edition_id=edition_id).update(released=True)


def hold(
    *,
    edition_id: int,
    reason: str,
    detail: str = "",
    now: datetime,
    from_status: Collection[str] = _UNSENT,
) -> None:
    """Set the edition aside for the editors, who are told by mail (editions.notify).

    Raises:
        IllegalMove: it is in none of `from_status`.
    """
    _move(edition_id, from_status, to=_Status.HELD, reason=reason, detail=detail, notice=now)


def _move(
    edition_id: int,
    from_status: Collection[str],
    *conditions: Q,
    to: str,
    reason: str,
    detail: str,
    notice: datetime | None = None,
) -> None:
    moved = Edition.objects.filter(*conditions, pk=edition_id, status__in=from_status).update(
        status=to,
        reason=reason,
        reason_detail=detail[:300],
        notice_due_at=notice,
        approved_at=None,
        approved_by=None,
        approved_hash="",
    )
    if not moved:
        raise IllegalMove(f"edition {edition_id} cannot become {to} from where it stands")
