"""Lock readers in one order, so that no two acts wait for each other."""

from __future__ import annotations

from django.db.models import Q

from subscribers.models import Subscriber, Subscription


def lock_readers(who: Q) -> dict[int, Subscriber]:
    """Lock these readers for the transaction: first their subscriptions, as choices do.

    Not the other way round: a choice holds its subscription when a row that it adds, an event for
    a webhook say, has the reader looked up at the commit. Signing up (enrol) keeps the same order.
    """
    ids = list(Subscriber.objects.filter(who).values_list("pk", flat=True))
    theirs = Subscription.objects.filter(subscriber__in=ids).order_by("pk")
    list(theirs.select_for_update().values_list("pk"))
    # Asked again: while this one waited, an address may have become another reader's.
    rows = Subscriber.objects.select_for_update().filter(who).order_by("pk")
    return {row.pk: row for row in rows}
