"""Lock readers in one order, so that no two transactions deadlock."""

from __future__ import annotations

from django.db.models import Q

from subscribers.models import Subscriber, Subscription


def lock_readers(who: Q) -> dict[int, Subscriber]:
    """Lock these readers for the transaction: first their subscriptions, then themselves.

    A change of choices keeps this order too. It holds the subscription, and locks the reader at the
    commit, when the foreign key of an added row (such as an event for a webhook) is checked.
    Signing up (enrol) keeps the same order.
    """
    ids = list(Subscriber.objects.filter(who).values_list("pk", flat=True))
    theirs = Subscription.objects.filter(subscriber__in=ids).order_by("pk")
    list(theirs.select_for_update().values_list("pk"))
    # Queried again: while this transaction waited, an address may have become another reader's.
    rows = Subscriber.objects.select_for_update().filter(who).order_by("pk")
    return {row.pk: row for row in rows}
