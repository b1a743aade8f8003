"""Find the feeds that a page, such as a site's front page or an article, leads to."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin

from digest.feeds import child_process, fetch, sanitise
from digest.feeds.adding.links import FeedLink, feed_links
from digest.feeds.parse import NotAFeed, parse

# Seconds for the whole search, since somebody waits for it; and for one of its requests.
SECONDS = 30.0
_REQUEST_SECONDS = 10.0
# So many of the linked feeds are looked into.
_MOST_FEEDS = 8
# Where feeds are of which no page says so. Each costs the site a request for nothing.
_USUAL_PATHS = ("/feed", "/rss", "/feed.xml", "/atom.xml")


@dataclass(frozen=True)
class FoundFeed:
    """A feed that was read; `last_entry_at` is None if no entry has a date.

    `is_itself`: it was at the very address that was asked for.
    """

    url: str
    title: str
    kind: str
    entries: int
    last_entry_at: datetime | None
    is_itself: bool = False

    @property
    def in_words(self) -> str:
        """Such as `World news (RSS, 30 entries, the last on 10 March 2026)`."""
        last = f", the last on {self.last_entry_at:%-d %B %Y}" if self.last_entry_at else ""
        count = f"{self.entries} entr{'y' if self.entries == 1 else 'ies'}"
        return f"{self.title or 'Without a title'} ({self.kind}, {count}{last})"


def discover(url: str, *, allow_hosts: Collection[str] = ()) -> list[FoundFeed]:
    """Return the feeds that the page at `url` leads to, in its order; itself if it is a feed.

    They are those that the page links to, else those that its site's front page does, else those
    at the usual paths. At most 14 requests in SECONDS; what does not answer by then is not found.

    Raises:
        FetchError: the page itself cannot be fetched.
        UsedUp: reading it takes too much time or memory.
    """
    search = _Search(allow_hosts)
    page = search.get(url)
    if itself := child_process.call(_read_feeds, [page]):
        return [replace(itself[0], is_itself=True)]
    for asked in (page, search.try_get(urljoin(page.url, "/"))):
        if asked is not None:
            links = child_process.call(
                feed_links, asked.body, url=asked.url, content_type=asked.content_type
            )
            if found := search.read(link.url for link in links[:_MOST_FEEDS]):
                return _named(found, links)
    return search.read(urljoin(page.url, path) for path in _USUAL_PATHS)


class _Search:
    """Requests that all end by one deadline."""

    def __init__(self, allow_hosts: Collection[str]) -> None:
        self._allow_hosts = allow_hosts
        self._ends_at = time.monotonic() + SECONDS

    def get(self, url: str) -> fetch.Fetched:
        left = min(self._ends_at - time.monotonic(), _REQUEST_SECONDS)
        if left <= 0:
            raise fetch.FetchError(f"It took longer than {SECONDS:g} seconds.")
        return fetch.get(url, allow_hosts=self._allow_hosts, limits=fetch.Limits(total=left))

    def try_get(self, url: str) -> fetch.Fetched | None:
        try:
            return self.get(url)
        except fetch.FetchError:
            return None

    def read(self, urls: Iterable[str]) -> list[FoundFeed]:
        """Return those of the URLs at which there is a feed, each feed once."""
        answers = [answer for url in urls if (answer := self.try_get(url))]
        once = {answer.url: answer for answer in answers}
        return child_process.call(_read_feeds, list(once.values())) if once else []


def _read_feeds(answers: Sequence[fetch.Fetched]) -> list[FoundFeed]:
    return [found for answer in answers if (found := _read_feed(answer))]


def _read_feed(answer: fetch.Fetched) -> FoundFeed | None:
    try:
        parsed = parse(answer.body, base_url=answer.url, content_type=answer.content_type)
    except NotAFeed:
        return None
    dates = [entry.published_at for entry in parsed.entries if entry.published_at]
    return FoundFeed(
        url=answer.url,
        title=sanitise.name(parsed.title, 200),
        kind=_kind(answer.body),
        entries=len(parsed.entries),
        last_entry_at=max(dates, default=None),
    )


def _kind(body: bytes) -> str:
    start = body[:2000].lower()
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return "JSON Feed"
    return "Atom" if b"<feed" in start else "RSS"


def _named(found: Sequence[FoundFeed], links: Sequence[FeedLink]) -> list[FoundFeed]:
    """Return the feeds; one without a title has that of its link."""
    titles = {link.url: link.title for link in links}
    return [replace(feed, title=feed.title or titles.get(feed.url, "")) for feed in found]
