"""Find readers who left everything long ago: scan the leavers in batches.

The scan goes in the order of leaving. A reader of several newsletters is found at the one they left
last, so what has been scanned need not be scanned again. Readers who became due since are found
quickly, however many readers before them were erased or came back. For safety everything is scanned
again once a week, and whenever the position is lost. While Redis is unavailable, each worker scans
from a position of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q

from subscribers.models import Subscriber, Subscription

RESCAN_EVERY = timedelta(days=7)
_KEY = "inactive-scan"


@dataclass(frozen=True)
class ScanPosition:
    """How far a scan has come."""

    started_at: datetime
    ended_at: datetime | None = None
    pk: int = 0


@dataclass(frozen=True)
class InactiveReaders:
    """The readers found in a batch, and where the next batch begins."""

    readers: list[int]
    position: ScanPosition
    has_more: bool


def left_before(cutoff: datetime) -> Q:
    return Q(status=Subscription.Status.UNSUBSCRIBED, ended_at__lt=cutoff)


def find_batch(
    *, before: datetime, max_rows: int, max_readers: int, now: datetime
) -> InactiveReaders:
    """Return at most `max_readers` readers who left everything `before`, from `max_rows` rows."""
    position = _load_position(now)
    rows = _rows(position, before, max_rows)
    found = _left_everything({subscriber for *_, subscriber in rows}, before)
    readers: list[int] = []
    for ended_at, pk, subscriber in rows:
        if subscriber in found and subscriber not in readers:
            if len(readers) == max_readers:
                return InactiveReaders(readers, position, True)
            readers.append(subscriber)
        position = replace(position, ended_at=ended_at, pk=pk)
    return InactiveReaders(readers, position, len(rows) == max_rows)


def save_position(position: ScanPosition) -> bool:
    """Store where the next scan begins; return False if it would begin elsewhere.

    This happens if Redis can be read and not written. Then a scan must not go on at once: it would
    find the same rows for ever.
    """
    cache.set(_KEY, position, timeout=int(RESCAN_EVERY.total_seconds()))
    return bool(cache.get(_KEY) == position)


def _load_position(now: datetime) -> ScanPosition:
    position = cache.get(_KEY)
    is_fresh = isinstance(position, ScanPosition) and now - position.started_at < RESCAN_EVERY
    return position if is_fresh else ScanPosition(started_at=now)


def _rows(position: ScanPosition, before: datetime, limit: int) -> list[tuple[Any, ...]]:
    rows = Subscription.objects.filter(left_before(before))
    if position.ended_at:
        # `ended_at__gte` is for the index. `beyond` leaves out scanned rows of the same moment.
        beyond = Q(ended_at__gt=position.ended_at) | Q(pk__gt=position.pk)
        rows = rows.filter(beyond, ended_at__gte=position.ended_at)
    return list(rows.order_by("ended_at", "pk").values_list("ended_at", "pk", "subscriber")[:limit])


def _left_everything(subscribers: set[int], before: datetime) -> set[int]:
    others = Subscription.objects.filter(~left_before(before), subscriber=OuterRef("pk"))
    left = Subscriber.objects.filter(~Exists(others), pk__in=subscribers, erased_at=None)
    return set(left.order_by().values_list("pk", flat=True))
