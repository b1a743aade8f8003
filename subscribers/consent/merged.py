"""Find the subscriptions of addresses that turned out to be one person's (preferences.merging)."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, QuerySet

from subscribers.models import Subscription


def replaced_by(subscription_ids: Collection[int]) -> QuerySet[Subscription]:
    """Return the subscriptions that these replaced, except those of an address in use again.

    Whoever has signed up there since may be somebody else, who got the mailbox later.
    """
    in_use = Subscription.objects.filter(subscriber=OuterRef("subscriber")).exclude(
        status=Subscription.Status.UNSUBSCRIBED
    )
    return Subscription.objects.filter(~Exists(in_use), moved_to__in=subscription_ids)


def subscription_ids_of(subscriber_id: int) -> list[int]:
    """Return the ids of the reader's subscriptions, of those they replaced, and so on.

    Each query uses one index. With OR between the conditions PostgreSQL reads the whole ledger.
    """
    own = Subscription.objects.filter(subscriber=subscriber_id)
    found = newest = list(own.values_list("pk", flat=True))
    while newest:
        newest = list(replaced_by(newest).exclude(pk__in=found).values_list("pk", flat=True))
        found = found + newest
    return found
