"""Add the feed of a site to a newsletter, by the address of any of its pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from digest.feeds import child_process, fetch, ingest
from digest.feeds.adding.discover import FoundFeed, discover
from digest.models import Feed
from subscribers.models import Newsletter, Section

NO_FEED = "It is a web page, not a feed, and no feed was found for it."


class SeveralFeeds(Exception):
    """The page has several feeds, and somebody has to choose one; nothing was added."""

    def __init__(self, found: Sequence[FoundFeed]) -> None:
        super().__init__(f"It is a web page with {len(found)} feeds. Choose one.")
        self.found = found


def find_feed(url: str) -> str:
    """Return the URL of the feed at `url`, or of the only one that the page there leads to.

    Raises:
        SeveralFeeds: it leads to several.
        CannotAddFeed: it cannot be fetched, or leads to none.
    """
    url = ingest.checked_url(url)
    try:
        found = discover(url, allow_hosts=settings.FETCH_ALLOW_HOSTS)
    except (fetch.FetchError, child_process.UsedUp) as error:
        raise ingest.CannotAddFeed(f"{url} was not added. {error}") from error
    if not found:
        raise ingest.CannotAddFeed(f"{url} was not added. {NO_FEED}")
    if len(found) > 1:
        raise SeveralFeeds(found)
    # A feed that redirects is fetched where it was asked for, until it has moved for good.
    return url if found[0].is_itself else found[0].url


def add_site(
    *, newsletter: Newsletter, url: str, section: Section | None = None, now: datetime
) -> Feed:
    """Add the feed at `url`, or the one that the page there leads to, with its stories.

    Raises:
        SeveralFeeds, CannotAddFeed: nothing is added.
    """
    return ingest.add_feed(newsletter=newsletter, url=find_feed(url), section=section, now=now)
