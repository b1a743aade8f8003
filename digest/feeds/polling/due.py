"""Find the feeds that are due, and put them in an order in which none holds up the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db.models import Q

from digest.feeds.polling import turns
from digest.models import Feed

# How long before a draft its feeds are fetched: time enough for 300 of them, slow ones included.
BEFORE_DRAFT = timedelta(minutes=20)
# A feed that was fetched within this time before is fresh enough for the draft.
_FRESH = timedelta(minutes=30)
# Of one chain; what is left is found by the next tick.
_LONGEST_CHAIN = 100
# No wait is as long: a failing feed is tried once a day, and Retry-After counts for two days. What
# is to be fetched later than this was planned while the clock was wrong.
_NEVER_WAITS = timedelta(days=3)


def is_due(now: datetime) -> Q:
    """Return the condition on feeds that their next fetch is due."""
    return Q(next_fetch_at__lte=now) | Q(next_fetch_at__gt=now + _NEVER_WAITS)


def due_chains(*, now: datetime) -> list[list[int]]:
    """Return the due feeds in chains; those of one chain are fetched one after the other.

    The feeds of a host are in as many chains as may be fetched at once, so that no worker has to
    wait for the host. Slow feeds are in chains of their own, so that they hold up only each other.
    """
    by_lane: dict[str, list[list[int]]] = defaultdict(list)
    taken: dict[str, int] = defaultdict(int)
    for feed_id, url, seconds in _due(now):
        is_slow = is_slow_fetch(seconds)
        lane, width = ("", turns.SLOW) if is_slow else (host_of(url), turns.PER_HOST)
        chains, number = by_lane[lane], taken[lane]
        taken[lane] += 1
        if number < width:
            chains.append([])
        if len(chains[number % width]) < _LONGEST_CHAIN:
            chains[number % width].append(feed_id)
    return [chain for chains in by_lane.values() for chain in chains]


def _due(now: datetime) -> list[tuple[int, str, float | None]]:
    feeds = Feed.objects.filter(is_due(now), is_active=True)
    ordered = feeds.order_by("next_fetch_at", "id")
    return list(ordered.values_list("id", "url", "fetch_seconds"))


def make_due_before_draft(newsletter_ids: Collection[int], *, now: datetime) -> int:
    """Make the feeds of newsletters that draft soon due now, and return how many.

    A feed that was fetched lately stays as it is. So does one that fails: it is waiting because
    its server asked for that, or does not answer.
    """
    if not newsletter_ids:
        return 0
    return Feed.objects.filter(
        Q(last_fetched_at=None) | Q(last_fetched_at__lt=now - _FRESH),
        newsletter__in=newsletter_ids,
        is_active=True,
        consecutive_failures=0,
        next_fetch_at__gt=now,
    ).update(next_fetch_at=now)


def is_slow_fetch(seconds: float | None) -> bool:
    """Tell whether a fetch that took so many seconds is slow; one that never was is not."""
    return seconds is not None and seconds > turns.SLOW_SECONDS


def host_of(url: str) -> str:
    """Return the host whose server is asked; empty if the URL has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
