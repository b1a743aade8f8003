"""Who reports an event, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from digest.models import Story


@dataclass(frozen=True)
class Summary:
    """How many outlets report an event, in how many reports, and when the first one was published.

    Reports of outlets without a name count as one outlet.
    """

    sources: int
    reports: int
    first_at: datetime

    def in_words(self, now: datetime) -> str:
        """Return it as an editor reads it beside a story."""
        hours = max(round((now - self.first_at).total_seconds() / 3600), 0)
        since = (
            "in the last hour" if hours < 1 else f"{hours} {'hour' if hours == 1 else 'hours'} ago"
        )
        if self.sources == 1:
            return f"1 source, first seen {since}"
        return f"{self.sources} sources, {self.reports} reports, first seen {since}"


def summaries_of(stories: Iterable[Story]) -> dict[int | None, Summary]:
    """Return a summary of each event of which one of the stories is a report."""
    numbers = {story.event for story in stories if story.event is not None}
    reports: defaultdict[int | None, list[Story]] = defaultdict(list)
    for story in Story.objects.filter(event__in=numbers).select_related("feed"):
        reports[story.event].append(story)
    return {
        number: Summary(
            sources=len({story.outlet for story in members}),
            reports=len(members),
            first_at=min(story.dated_at for story in members),
        )
        for number, members in reports.items()
    }
