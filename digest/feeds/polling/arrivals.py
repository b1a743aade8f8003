"""Count by day what a feed brings, so that nobody has to count its stories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from digest.feeds.polling.interval import Observed

# Days that are kept.
DAYS = 14


def counted(
    days: Mapping[str, int], moments: Iterable[datetime], *, now: datetime
) -> dict[str, int]:
    """Return the counts by UTC date (`2026-03-10`) with one story more at each moment."""
    oldest = _day(now - timedelta(days=DAYS))
    kept = {day: count for day, count in days.items() if day >= oldest}
    for moment in moments:
        if oldest <= (day := _day(moment)) <= _day(now):
            kept[day] = kept.get(day, 0) + 1
    return kept


def observed(
    days: Mapping[str, int], *, since: datetime | None, now: datetime, back: timedelta
) -> Observed:
    """Return what the days since `now - back` brought, and how long the feed was watched in them.

    `since` is when it began to be watched; None: it has not been.
    """
    if since is None:
        return Observed(0, 0.0)
    first = (now - back).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    stories = sum(count for day, count in days.items() if day >= _day(first))
    return Observed(stories, max((now - max(first, since)) / timedelta(days=1), 0.0))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
