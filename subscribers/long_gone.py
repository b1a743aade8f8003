"""Find who left everything long ago, going through the leavers a page at a time.

They are gone through in the order of leaving. A reader of several newsletters is found at the last
of them, so what has been gone through need not be looked at again, and a look at those who became
due meanwhile is short, however many were erased or came back before them. To be safe all are gone
through once a week, and where Redis has lost the place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q
from redis.exceptions import RedisError

from subscribers.models import Subscriber, Subscription

ANEW = timedelta(days=7)
_KEY = "long-gone"


@dataclass(frozen=True)
class Place:
    """How far a round has come."""

    began: datetime
    ended_at: datetime | None = None
    pk: int = 0


@dataclass(frozen=True)
class Page:
    """The readers whom a page held, and where the next one begins."""

    readers: list[int]
    place: Place
    has_more: bool


def left_before(cutoff: datetime) -> Q:
    return Q(status=Subscription.Status.UNSUBSCRIBED, ended_at__lt=cutoff)


def find(*, before: datetime, rows: int, persons: int, now: datetime) -> Page:
    """Return at most so many readers who left before, from at most so many rows."""
    place = _place(now)
    page = _rows(place, before, rows)
    found = _wholly_gone({subscriber for *_, subscriber in page}, before)
    readers: list[int] = []
    for ended_at, pk, subscriber in page:
        if subscriber in found and subscriber not in readers:
            if len(readers) == persons:
                return Page(readers, place, True)
            readers.append(subscriber)
        place = replace(place, ended_at=ended_at, pk=pk)
    return Page(readers, place, len(page) == rows)


def keep(place: Place) -> bool:
    """Go on from there the next time; False where that cannot be remembered."""
    try:
        cache.set(_KEY, place, timeout=int(ANEW.total_seconds()))
    except RedisError:
        return False
    return True


def _place(now: datetime) -> Place:
    try:
        place = cache.get(_KEY)
    except RedisError:
        place = None
    is_fresh = isinstance(place, Place) and now - place.began < ANEW
    return place if is_fresh else Place(began=now)


def _rows(place: Place, before: datetime, limit: int) -> list[tuple[Any, ...]]:
    rows = Subscription.objects.filter(left_before(before))
    if place.ended_at:
        # The first condition is the index's, the second leaves out those of the same moment.
        beyond = Q(ended_at__gt=place.ended_at) | Q(pk__gt=place.pk)
        rows = rows.filter(beyond, ended_at__gte=place.ended_at)
    return list(rows.order_by("ended_at", "pk").values_list("ended_at", "pk", "subscriber")[:limit])


def _wholly_gone(subscribers: set[int], before: datetime) -> set[int]:
    others = Subscription.objects.filter(~left_before(before), subscriber=OuterRef("pk"))
    gone = Subscriber.objects.filter(~Exists(others), pk__in=subscribers, erased_at=None)
    return set(gone.order_by().values_list("pk", flat=True))
