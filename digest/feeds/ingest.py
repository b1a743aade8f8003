"""Bring a feed's entries into the newsletter's stories, each of them once."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.db import IntegrityError, transaction

from digest.feeds import child_process, fetch, sanitise, store, urls
from digest.feeds.parse import NotAFeed, ParsedFeed, parse
from digest.feeds.polling import arrivals, due, hubs, interval, moved, turns
from digest.language import tag
from digest.models import Feed
from digest.shorten import truncate
from subscribers.models import Newsletter, Section
from subscribers.web.retry_after import retry_after

MAX_FEED_URL_LENGTH = 1000
# What GitHub, arXiv, Hugo, Bluesky and Medium write around the name.
_AROUND_NAME = re.compile(
    r"^(?:Release notes|Tags|News and communications) from |^\S{1,60} updates on (?=arXiv\.org$)"
    r"|^Recent content (?:in|on) |^Posts on |^@\S{1,250} - |^Stories by (?=.{1,100} on Medium$)"
    r"| on Medium$"
)


class CannotAddFeed(Exception):
    """The feed was not added; the message says why in plain words."""


@dataclass(frozen=True)
class IngestReport:
    """How many stories one fetch brought; `error` is empty if the fetch went well."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    # Entries without a title or a usable link.
    skipped: int = 0
    error: str = ""
    # The publisher said that nothing changed since the last fetch (304).
    not_modified: bool = False
    # False: nothing was fetched, because another process had claimed the feed, or it is deleted.
    fetched: bool = True


def fetch_chain(*, feed_ids: Sequence[int], now: datetime) -> list[int]:
    """Fetch the first of these feeds (see `polling.due`), and return which are to be fetched next.

    If its host, or all slow feeds together, have enough fetches under way, the feed stays due and
    a later tick finds it. Then only another host's feeds are to be fetched next.
    """
    first, *rest = feed_ids
    found = Feed.objects.filter(pk=first).values_list("url", "fetch_seconds").first()
    if found is None:  # deleted while its task was waiting
        return rest
    host, is_slow = due.host_of(found[0]), due.is_slow_fetch(found[1])
    with turns.take_turn(host=host, is_slow=is_slow) as full:
        if not full:
            fetch_feed(feed_id=first, now=now)
    # Slow feeds share a chain although they have several hosts.
    return [] if full == "slow" or (full and not is_slow) else rest


def fetch_feed(
    *, feed_id: int, now: datetime, force: bool = False, apart: bool = False
) -> IngestReport:
    """Fetch a feed that is due (with `force`: any feed) and store its new stories.

    A task has a limit in time. Whoever has none parses `apart`, in a process that has one.

    A failure raises nothing: it is recorded with the feed. The feed keeps its stories and its last
    good state, and is fetched again later, at growing intervals.
    """
    feed = _claim(feed_id=feed_id, now=now, force=force)
    if feed is None:
        return IngestReport(fetched=False)
    try:
        fetched = _fetch(feed)
        read = _parse_apart if apart else _parse
        parsed = None if fetched.status == HTTPStatus.NOT_MODIFIED else read(fetched)
    except (fetch.FetchError, NotAFeed, child_process.UsedUp) as error:
        _record_failure(feed, error, now=now)
        return IngestReport(error=feed.last_error)
    report = _ingest(feed, fetched, parsed, now=now)
    _note_move(feed, fetched, parsed, now=now)
    return report


def record_timeout(*, feed_id: int, seconds: int, now: datetime) -> None:
    """Record that reading the feed took longer than `seconds`, and was stopped and rolled back."""
    feed = Feed.objects.filter(pk=feed_id).first()
    if feed is not None:
        message = f"It takes more than {seconds} seconds to read."
        feed.fetch_seconds = seconds
        _record_failure(feed, fetch.FetchError(message, permanent=False), now=now)


def add_feed(
    *, newsletter: Newsletter, url: str, section: Section | None = None, now: datetime
) -> Feed:
    """Add a feed, with its stories, after one fetch has shown that it is a feed.

    Raises:
        CannotAddFeed: the URL cannot be fetched or is no feed; nothing is added.
    """
    url = checked_url(url)
    if Feed.objects.filter(newsletter=newsletter, url=url).exists():
        raise CannotAddFeed(f"{newsletter} has the feed {url} already.")
    feed = Feed(newsletter=newsletter, url=url, section=section, last_fetched_at=now)
    try:
        fetched = _fetch(feed)
        parsed = _parse_apart(fetched)
    except (fetch.FetchError, NotAFeed, child_process.UsedUp) as error:
        raise CannotAddFeed(f"{url} was not added. {error}") from error
    try:
        with transaction.atomic():
            feed.save()
            _ingest(feed, fetched, parsed, now=now)
    except IntegrityError as error:
        raise CannotAddFeed(f"{newsletter} has the feed {url} already.") from error
    return feed


def checked_url(url: str) -> str:
    """Return the URL as a feed is stored; without a scheme it is https. Raises CannotAddFeed."""
    url = url.strip()
    if "://" not in url:
        url = f"https://{url}"
    if not urls.web_url(url) or len(url) > MAX_FEED_URL_LENGTH:
        raise CannotAddFeed(f"“{truncate(url, 200)}” is not an http or https URL.")
    return url


def _claim(*, feed_id: int, now: datetime, force: bool) -> Feed | None:
    """Claim the feed by moving its next fetch ahead; None if another process was first."""
    feed = Feed.objects.select_related("newsletter", "section", "hub").filter(pk=feed_id).first()
    if feed is None:  # deleted while its task was waiting
        return None
    claimable = Feed.objects.filter(pk=feed_id)
    if not force:
        claimable = claimable.filter(due.is_due(now), is_active=True)
    feed.next_fetch_at, feed.last_fetched_at = now + feed.interval, now
    claimed = claimable.update(
        next_fetch_at=feed.next_fetch_at, last_fetched_at=feed.last_fetched_at
    )
    return feed if claimed else None


def _fetch(feed: Feed) -> fetch.Fetched:
    # Where a feed seems to have moved to, the whole of it is to be seen.
    is_conditional = feed.moving_since is None
    began = time.perf_counter()
    try:
        return fetch.get(
            feed.url,
            etag=feed.etag if is_conditional else "",
            last_modified=feed.last_modified if is_conditional else "",
            allow_hosts=settings.FETCH_ALLOW_HOSTS,
        )
    finally:
        feed.fetch_seconds = round(time.perf_counter() - began, 3)


def _note_move(
    feed: Feed, fetched: fetch.Fetched, parsed: ParsedFeed | None, *, now: datetime
) -> None:
    allowed = moved.target(feed.url, fetched.moved_to, allow_hosts=settings.FETCH_ALLOW_HOSTS)
    if allowed or feed.moving_to:
        has_stories = parsed is not None and bool(parsed.entries)
        moved.note_move(feed, allowed, has_stories=has_stories, now=now)


def _parse(fetched: fetch.Fetched) -> ParsedFeed:
    return parse(fetched.body, base_url=fetched.url, content_type=fetched.content_type)


def _parse_apart(fetched: fetch.Fetched) -> ParsedFeed:
    """Parse within the limits of `child_process`; a task has limits of its own."""
    return child_process.call(
        parse, fetched.body, base_url=fetched.url, content_type=fetched.content_type
    )


@transaction.atomic
def _ingest(
    feed: Feed, fetched: fetch.Fetched, parsed: ParsedFeed | None, *, now: datetime
) -> IngestReport:
    """Store the stories, and the answer's ETag and Last-Modified, in one transaction.

    So what a crash loses is fetched again.
    """
    if parsed is not None and not feed.title:
        feed.title = sanitise.name(parsed.title, 200)
        feed.source_name = feed.source_name or outlet_name(feed.title)
    is_first = feed.last_success_at is None
    feed.last_success_at, feed.consecutive_failures, feed.last_error = now, 0, ""
    feed.failing_since = None
    fields = ["last_success_at", "consecutive_failures", "last_error", "failing_since"]
    if parsed is None:
        feed.save(update_fields=[*fields, *_plan(feed, fetched, parsed, now=now)])
        return IngestReport(not_modified=True)
    # An ETag that does not fit its column is left out: half of one is of no use.
    feed.etag = fetched.etag if len(fetched.etag) <= 500 else ""
    feed.last_modified = fetched.last_modified if len(fetched.last_modified) <= 100 else ""
    feed.stated_language = tag(parsed.language) or tag(fetched.language)
    counts = store.store_entries(
        feed=feed, entries=parsed.entries, now=now, site_url=parsed.site_url, is_first=is_first
    )
    _observe(feed, counts.dates, is_first=is_first, now=now)
    if counts.added and not is_first:
        hubs.note_arrival(feed, now=now)
    hubs.note_hub(
        feed,
        # What the headers say comes first (WebSub, section 4).
        hub_url=hubs.linked(fetched.link, "hub") or parsed.hub_url,
        topic_url=hubs.linked(fetched.link, "self") or parsed.self_url,
        now=now,
    )
    feed.site_url = parsed.site_url if len(parsed.site_url) <= MAX_FEED_URL_LENGTH else ""
    fields += ["title", "source_name", "stated_language", "etag", "last_modified", "site_url"]
    feed.save(update_fields=[*fields, *_plan(feed, fetched, parsed, now=now)])
    return IngestReport(
        added=counts.added,
        updated=counts.updated,
        unchanged=counts.unchanged,
        skipped=counts.skipped,
    )


def _observe(
    feed: Feed, dates: Sequence[datetime | None], *, is_first: bool, now: datetime
) -> None:
    """Count the new stories of a fetch.

    What the first fetch finds has come over days, and its dates say when; of what has no date
    nobody knows. A feed shows its newest entries, so it was watched since the oldest of them.
    """
    stated = [date for date in dates if date is not None and date <= now]
    came = stated if is_first else [now] * len(dates)
    feed.arrivals = arrivals.counted(feed.arrivals, came, now=now)
    feed.last_story_at = max([*filter(None, [feed.last_story_at]), *came], default=None)
    if feed.observed_since is None:
        feed.observed_since = min(stated, default=now) if is_first else now


def _plan(
    feed: Feed, fetched: fetch.Fetched, parsed: ParsedFeed | None, *, now: datetime
) -> list[str]:
    """Set when the feed is fetched next, and why; return the fields that were set."""
    seen = {
        back: arrivals.observed(
            feed.arrivals, since=feed.observed_since, now=now, back=timedelta(days=back)
        )
        for back in (1, 7)
    }
    wishes = interval.wished(cache_control=fetched.cache_control)
    if parsed is not None:
        wishes = max(wishes, parsed.wished_minutes)
    if hubs.is_telling(feed, now=now):
        chosen = interval.Interval(interval.LONGEST, "its hub tells when something is new")
    else:
        chosen = interval.by_yield(seen[1], seen[7], hint=timedelta(minutes=wishes))
    feed.current_minutes = round(chosen.wait / timedelta(minutes=1))
    feed.interval_reason = chosen.reason
    planned = now + interval.spread(feed.interval, feed_id=feed.pk, now=now)
    feed.next_fetch_at = min(planned, _hurried(feed) or planned)
    return [
        "arrivals", "observed_since", "last_story_at", "current_minutes", "interval_reason",
        "next_fetch_at", "fetch_seconds",
    ]  # fmt: skip


def _hurried(feed: Feed) -> datetime | None:
    """Return when it is to be fetched, if somebody said so since its fetch began, as a hub does.

    The row is locked, so that nobody says so between this and the end of the transaction.
    """
    locked = Feed.objects.select_for_update(no_key=True).filter(pk=feed.pk)
    stored = locked.values_list("next_fetch_at", flat=True).first()
    return stored if stored and stored < feed.next_fetch_at else None


def outlet_name(title: str) -> str:
    """Return the outlet's name, which is the first part of a feed's title.

    Examples: `NYT > World News`, `CNN.com - RSS Channel` and `cs.CY updates on arXiv.org`.
    """
    title = _AROUND_NAME.sub("", title.strip())
    return sanitise.name(re.split(r" [-\u2013\u2014>|»:/]+ ", " ".join(title.split()))[0])


def _record_failure(feed: Feed, error: Exception, *, now: datetime) -> None:
    """Store the error with the feed and fetch again later; never again after 410 Gone."""
    feed.consecutive_failures += 1
    feed.last_error = truncate(sanitise.plain_text(str(error)), 500)
    feed.failing_since = feed.failing_since or now
    fields = [
        "consecutive_failures", "last_error", "next_fetch_at", "failing_since", "fetch_seconds"
    ]  # fmt: skip
    wait = interval.backoff(feed.interval, failures=feed.consecutive_failures)
    feed.next_fetch_at = now + interval.spread(wait, feed_id=feed.pk, now=now)
    if isinstance(error, fetch.FetchError):
        requested = retry_after(error.retry_after, now=now)
        if requested and requested > feed.next_fetch_at:
            feed.next_fetch_at = requested
            feed.last_error = truncate(f"{feed.last_error} It asked for this pause.", 500)
        if error.permanent:
            feed.is_active = False
            feed.last_error = truncate(f"{feed.last_error} The feed was switched off.", 500)
            fields.append("is_active")
    feed.save(update_fields=fields)
