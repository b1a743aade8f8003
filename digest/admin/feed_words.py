"""Say in words how often a feed is fetched, what it brings, and what goes wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

from digest.editions.draft.feed_yield import FeedYield
from digest.feeds.polling.arrivals import DAYS, observed
from digest.models import Feed
from digest.shorten import truncate


def every(minutes: int) -> str:
    """Return such as `every 20 min`, `every 2 h` or `every 2 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return f"every {' '.join(parts)}"


def pace(feed: Feed) -> str:
    """Return how often the feed is fetched, and why: `every 2 h: it brings 3 stories a day`."""
    if feed.interval_minutes:
        return f"{every(feed.interval_minutes)}: an editor fixed it"
    reason = f": {feed.interval_reason}" if feed.interval_reason else ""
    return f"{every(feed.current_minutes)}{reason}"


def stories_a_day(feed: Feed, *, now: datetime) -> float | None:
    """Return the mean of the last two weeks; None if it has not been watched for half a day."""
    seen = observed(
        feed.arrivals, since=feed.observed_since, now=now, back=timedelta(days=DAYS - 1)
    )
    return seen.stories / max(seen.days, 1.0) if seen.days >= 0.5 else None


def a_day(feed: Feed, *, now: datetime) -> str:
    """Return the stories a day with one decimal below ten; empty if nobody knows."""
    mean = stories_a_day(feed, now=now)
    return "" if mean is None else f"{mean:.1f}" if 0 < mean < 10 else f"{mean:,.0f}"


def no_news(found: FeedYield) -> str:
    """Return the share that is no news; empty if nobody knows."""
    percent = found.no_news_percent
    return "" if percent is None else f"{percent} %"


def trouble(feed: Feed) -> str:
    """Return the last error, cut short, and since when the feed fails; empty if it does not.

    On a phone, a cell of the list has room for two lines.
    """
    error = truncate(feed.last_error, 45)
    if not error or feed.failing_since is None:
        return error
    return f"{error} Since {feed.failing_since.astimezone(feed.newsletter.zone):%-d %b}"
