"""Take a newsletter's feeds from a list, and give them as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices

from digest.feeds.adding.opml import Outline, read_opml, write_opml
from digest.models import Feed
from digest.shorten import truncate
from subscribers.models import Newsletter, Section

_MAX_URL_LENGTH = 1000


class Outcome(TextChoices):
    """What becomes of a line of the list."""

    ADDED = "added", "added"
    KNOWN = "known", "the newsletter has it already"
    TWICE = "twice", "it is in the list twice"
    NO_URL = "no-url", "its address is not an http or https URL"
    LONG_URL = "long-url", "its address is too long"


@dataclass(frozen=True)
class ListedFeed:
    """A feed of the list, and what became of it; `note` says which folder is no section."""

    url: str
    title: str
    outcome: Outcome
    section: Section | None = None
    note: str = ""

    @property
    def in_words(self) -> str:
        """Such as `https://a.example/feed: added, in World`."""
        place = f", in {self.section.name}" if self.section else ""
        note = f" ({self.note})" if self.note else ""
        return f"{self.url}: {self.outcome.label}{place}{note}"


def import_feeds(
    *, newsletter: Newsletter, body: bytes, now: datetime, dry_run: bool = False
) -> list[ListedFeed]:
    """Add the feeds of an OPML file as rows that are due now; return a line for each in its order.

    None is fetched here: workers do that, and each feed's state says how it went. A folder is the
    newsletter's section of that name. With `dry_run`, nothing is added.

    Raises:
        NotOpml: nothing is added.
    """
    sections = {section.name.casefold(): section for section in newsletter.sections.all()}
    known = set(Feed.objects.filter(newsletter=newsletter).values_list("url", flat=True))
    seen: set[str] = set()
    lines, feeds = [], []
    for outline in read_opml(body):
        outcome = _outcome(outline, known=known, seen=seen)
        seen.add(outline.url)
        if outcome != Outcome.ADDED:
            shown = outline.url or outline.stated_url
            lines.append(ListedFeed(truncate(shown, 200), outline.title, outcome))
            continue
        section, note = _section(outline.folders, sections)
        lines.append(ListedFeed(outline.url, outline.title, outcome, section, note))
        feed = Feed(newsletter=newsletter, section=section, url=outline.url, next_fetch_at=now)
        feed.title = outline.title
        feed.weight = feed.weight if outline.weight is None else outline.weight
        feeds.append(feed)
    if not dry_run:
        Feed.objects.bulk_create(feeds, ignore_conflicts=True)
    return lines


def _outcome(outline: Outline, *, known: set[str], seen: set[str]) -> Outcome:
    if not outline.url:
        return Outcome.NO_URL
    if len(outline.url) > _MAX_URL_LENGTH:
        return Outcome.LONG_URL
    if outline.url in known:
        return Outcome.KNOWN
    return Outcome.TWICE if outline.url in seen else Outcome.ADDED


def _section(folders: Sequence[str], sections: dict[str, Section]) -> tuple[Section | None, str]:
    """Return the section that the innermost folder names, and a note if none does."""
    for name in reversed(folders):
        if found := sections.get(name.casefold()):
            return found, ""
    return None, f"no section “{folders[-1]}”" if folders else ""


def export_feeds(newsletter: Newsletter) -> bytes:
    """Return the newsletter's feeds as an OPML file, those that are switched off too."""
    feeds = Feed.objects.filter(newsletter=newsletter).select_related("section")
    return write_opml(
        f"Feeds of {newsletter}",
        [
            Outline(
                url=feed.url,
                stated_url=feed.url,
                title=feed.title,
                site_url=feed.site_url,
                folders=(feed.section.name,) if feed.section else (),
                weight=feed.weight,
            )
            for feed in feeds.order_by("section__position", "title", "url")
        ],
    )
