"""Compute how long to wait until a feed's next fetch, by what it brings."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

SHORTEST, LONGEST = timedelta(minutes=15), timedelta(hours=6)
# A feed is fetched four times for each story that it brings: so one that brings 24 a day is fetched
# every 15 minutes, and one that brings one a day every 6 hours.
_FETCHES_PER_STORY = 4
# What a publisher asks for may double the wait, and no more. WordPress says "hourly" of every site,
# and a `ttl` is mostly the default of some software; what the feed really brings says more.
_MOST_BY_HINT = 2
# The wait varies by a tenth, so that hundreds of feeds added together do not stay together.
_JITTER = 0.1
# A failing feed is tried again after an hour at most, then less and less often, down to once a day.
_FIRST_BACKOFF, _LAST_BACKOFF = timedelta(hours=1), timedelta(days=1)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_PERIODS = {"hourly": 60, "daily": 1440, "weekly": 10080, "monthly": 43200, "yearly": 525600}


@dataclass(frozen=True)
class Observed:
    """How many new stories a feed brought in so many days; the days need not be whole."""

    stories: int
    days: float


@dataclass(frozen=True)
class Interval:
    """The wait between two fetches, without jitter, and the reason in words."""

    wait: timedelta
    reason: str


def by_yield(recent: Observed, week: Observed, *, hint: timedelta | None = None) -> Interval:
    """Return the wait for a feed that brought `recent` in the last day or two, `week` in seven.

    The busier of the two counts, so that a feed which wakes up is fetched faster at once and one
    that falls asleep slows down over a week. In the week, one story more than was seen is assumed:
    of a feed that has been watched for an hour without a story nobody knows that it brings none.
    Without any history, the wait is the shortest. `hint` is what the publisher asks for (ttl,
    sy:updatePeriod, max-age). The result is between SHORTEST and LONGEST.
    """
    lately = recent.stories / recent.days if recent.days >= 1 else 0.0
    usually = (week.stories + 1) / max(week.days, 1 / 1440)
    busier = recent if lately > usually else week
    wait = _clamp(timedelta(days=1) / (max(lately, usually) * _FETCHES_PER_STORY))
    reason = _brings(busier, "lately it brought" if lately > usually else "it brings")
    if hint is not None and hint > wait:
        wait = _clamp(min(hint, wait * _MOST_BY_HINT))
        reason += ", and asks for fewer fetches"
    return Interval(wait, reason)


def _brings(observed: Observed, verb: str) -> str:
    if observed.days < 0.5 and observed.stories == 0:
        return "nobody knows yet how much it brings"
    a_day = observed.stories / max(observed.days, 0.04)
    if a_day >= 0.95:
        return f"{verb} {in_words(a_day)} a day"
    if observed.stories:
        return f"it brought {in_words(observed.stories)} in {max(round(observed.days), 2)} days"
    return "it brought nothing new lately"


def in_words(stories: float) -> str:
    """Return such as `1 story` or `12 stories`, rounded."""
    count = round(stories)
    return f"{count:,} {'story' if count == 1 else 'stories'}"


def _clamp(wait: timedelta) -> timedelta:
    return min(max(wait, SHORTEST), LONGEST)


def spread(wait: timedelta, *, feed_id: int, now: datetime) -> timedelta:
    """Return the wait, changed by up to a tenth, the same for the same feed and moment.

    A short wait becomes longer and a long one shorter, so that both stay within the bounds.
    """
    share = zlib.crc32(f"{feed_id}:{now.timestamp()}".encode()) / 2**32 * _JITTER
    factor = 1 + share if wait <= LONGEST / 2 else 1 - share
    return wait * factor


def backoff(wait: timedelta, *, failures: int) -> timedelta:
    """Return the wait after so many failed fetches in a row, one or more."""
    doublings = min(failures - 1, 10)
    return min(min(wait, _FIRST_BACKOFF) * (1 << doublings), _LAST_BACKOFF)


def wished(*, ttl: str = "", period: str = "", frequency: str = "", cache_control: str = "") -> int:
    """Return for how many minutes the publisher wants to be left alone, 0 if it does not say.

    `ttl` is RSS's (minutes), `period` and `frequency` are those of the syndication module
    (`daily`, `2`: twice a day), `cache_control` is the HTTP header (RFC 9111, section 5.2.2.1).
    """
    minutes = [0]
    if ttl.isascii() and ttl.isdigit():
        minutes.append(int(ttl[:6]))
    times = int(frequency[:4]) if frequency.isascii() and frequency.isdigit() else 1
    minutes.append(_PERIODS.get(period.strip().lower(), 0) // max(times, 1))
    if found := _MAX_AGE.search(cache_control[:500]):
        minutes.append(int(found[1]) // 60)
    return min(max(minutes), _PERIODS["yearly"])
