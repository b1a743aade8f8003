"""Who reports an event, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from digest.models import Story


@dataclass(frozen=True)
class Summary:
    """How many outlets report an event, in how many reports, and when the first one was published.

    Reports of outlets without a name count as one outlet. `own_reporting` is how many of the
    outlets have a text that none of the others had before: copies of one text count once. It is
    None while no texts have been compared.
    """

    sources: int
    reports: int
    first_at: datetime
    own_reporting: int | None = None

    def in_words(self, now: datetime) -> str:
        """Return it as an editor reads it beside a story."""
        hours = max(round((now - self.first_at).total_seconds() / 3600), 0)
        since = (
            "in the last hour" if hours < 1 else f"{hours} {'hour' if hours == 1 else 'hours'} ago"
        )
        if self.sources == 1:
            return f"1 source, first seen {since}"
        if self.own_reporting is None or self.own_reporting == self.sources:
            return f"{self.sources} sources, {self.reports} reports, first seen {since}"
        own = (
            f"{self.own_reporting} of {'its' if self.own_reporting == 1 else 'their'} own reporting"
        )
        return f"{self.sources} sources, {own}, first seen {since}"


def summaries_of(
    stories: Iterable[Story], *, until: datetime | None = None
) -> dict[int | None, Summary]:
    """Return a summary of each event of which one of the stories is a report.

    With `until`, only what had arrived by then counts, as if it was that moment.
    """
    numbers = {story.event for story in stories if story.event is not None}
    reports: defaultdict[int | None, list[Story]] = defaultdict(list)
    known = Story.objects.filter(event__in=numbers)
    if until is not None:
        known = known.filter(added_at__lte=until)
    for story in known.select_related("feed"):
        reports[story.event].append(story)
    return {number: summarise(members) for number, members in reports.items()}


def summarise(reports: Collection[Story]) -> Summary:
    """Return the summary of an event with these reports, of which there is one or more."""
    return Summary(
        sources=len({story.outlet for story in reports}),
        reports=len(reports),
        first_at=min(story.dated_at for story in reports),
        own_reporting=_own_reporting(reports),
    )


def _own_reporting(reports: Collection[Story]) -> int | None:
    """Count the outlets that were the first with a text; None if no text has been compared."""
    if len(reports) > 1 and all(story.text_number is None for story in reports):
        return None
    first: dict[int, str] = {}
    for story in sorted(reports, key=lambda story: (story.dated_at, story.pk)):
        first.setdefault(story.text_number or story.pk, story.outlet)
    return len(set(first.values()))
