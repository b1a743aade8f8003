"""Follow a feed whose URL has changed for good, as 301 and 308 say."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import urldefrag, urlsplit

from django.db import IntegrityError, transaction

from digest.feeds.polling.due import host_of
from digest.feeds.urls import web_url
from digest.models import Feed
from digest.shorten import truncate

logger = logging.getLogger(__name__)

# A redirect that is there for less time may be a mistake of a minute or somebody's Wi-Fi.
SETTLED = timedelta(hours=6)
_MAX_LENGTH = 1000


def target(url: str, moved_to: str, *, allow_hosts: Collection[str]) -> str:
    """Return where a feed at `url` may move if its server says `moved_to`; empty: it may not.

    It never moves from https to http, which would let anybody on the way write its stories, and
    never from a public host to one that only FETCH_ALLOW_HOSTS lets through.
    """
    moved_to = urldefrag(web_url(moved_to)).url
    if not moved_to or moved_to == urldefrag(url).url or len(moved_to) > _MAX_LENGTH:
        return ""
    if urlsplit(url).scheme == "https" and urlsplit(moved_to).scheme != "https":
        return ""
    private = {host.strip("[]").lower() for host in allow_hosts}
    if host_of(moved_to) in private and host_of(url) not in private:
        return ""
    return moved_to


def note_move(feed: Feed, moved_to: str, *, has_stories: bool, now: datetime) -> None:
    """Record that the feed came from `moved_to` (empty: from its own URL), and move it in time.

    It moves when two fetches, SETTLED apart, were sent to the same place for good, and there was a
    feed with entries there (`has_stories`). A log-in page or an error page moves nothing.
    """
    if moved_to != feed.moving_to:
        feed.moving_to, feed.moving_since = moved_to, now if moved_to else None
        feed.save(update_fields=["moving_to", "moving_since"])
    elif moved_to and has_stories and feed.moving_since and now - feed.moving_since >= SETTLED:
        _move(feed, now=now)


def _move(feed: Feed, *, now: datetime) -> None:
    former, url = feed.url, feed.moving_to
    feed.url, feed.moved_from, feed.moved_at = url, former, now
    feed.moving_to, feed.moving_since = "", None
    try:
        # Only from the URL that was fetched: an editor may have typed in another one just now.
        with transaction.atomic():
            moved = Feed.objects.filter(pk=feed.pk, url=former).update(
                url=url, moved_from=former, moved_at=now, moving_to="", moving_since=None
            )
    except IntegrityError:
        feed.url, feed.moved_from, feed.moved_at = former, "", None
        _give_way(feed, url, now=now)
        return
    if moved:
        logger.info("Feed %s has moved for good from %s to %s", feed.pk, former, url)


def _give_way(feed: Feed, url: str, *, now: datetime) -> None:
    """Switch off a feed that has moved to where another active one of its newsletter is."""
    other = Feed.objects.filter(newsletter=feed.newsletter_id, url=url).first()
    feed.moving_since = None
    fields = ["moving_to", "moving_since"]
    if other is not None and other.is_active:
        feed.is_active = False
        feed.failing_since = feed.failing_since or now
        feed.last_error = truncate(
            f"It has moved to {url}, which the newsletter has already, as “{other}”. "
            "The feed was switched off.",
            500,
        )
        fields += ["is_active", "failing_since", "last_error"]
        logger.warning("Feed %s has moved to where feed %s is; switched off", feed.pk, other.pk)
    feed.save(update_fields=fields)
