"""Print a newspaper of labelled reports each morning, and count what it says twice."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime, time, timedelta

from digest.ranking.article import Article
from digest.ranking.rank import rank
from digest.ranking.select import Candidate

HOUR = time(6, 0)
STORIES = 12
WINDOW = timedelta(hours=72)
FRESH = timedelta(hours=24)

# Returns the groups of some articles, and the looser clusters.
Group = Callable[[Sequence[Article]], tuple[list[list[int]], list[list[int]]]]


def mornings(articles: Sequence[Article], group: Group) -> list[list[int]]:
    """Return the indexes of what each morning's edition prints.

    What has appeared by then is grouped, as a newsroom does it: an event that an edition has
    printed is not printed again, and of the others the ranking chooses.
    """
    times = [article.published or datetime.max.replace(tzinfo=UTC) for article in articles]
    now = datetime.combine(min(times).date() + timedelta(days=1), HOUR, UTC)
    printed: set[int] = set()
    editions = []
    while now - FRESH < max(times):
        seen = [index for index, at in enumerate(times) if now - WINDOW < at <= now]
        candidates = []
        groups, clusters = group([articles[index] for index in seen])
        cluster_of = {seen[at]: number for number, ats in enumerate(clusters) for at in ats}
        told = {cluster_of[index] for index in printed if index in cluster_of}
        for number, members in enumerate(groups):
            indexes = [seen[member] for member in members]
            if not printed.intersection(indexes):
                sources = len({articles[index].source for index in indexes})
                candidates += [
                    Candidate(
                        id=index,
                        source=articles[index].source,
                        section_id=None,
                        published_at=times[index],
                        event=number,
                        sources=sources,
                        cluster=cluster_of[index],
                        may_repeat=cluster_of[index] in told,
                    )
                    for index in indexes
                    if times[index] > now - FRESH
                ]
        chosen = rank(candidates, now=now, limit=STORIES, section_limits={})
        editions.append([candidate.id for candidate in chosen])
        printed.update(editions[-1])
        now += timedelta(days=1)
    return editions


def repeats_and_doubles(
    editions: Sequence[Sequence[int]], events: Sequence[Hashable]
) -> tuple[float, float]:
    """Return the share of stories whose event an earlier edition had, or the same one already."""
    earlier: set[Hashable] = set()
    repeats = doubles = count = 0
    for edition in editions:
        here: set[Hashable] = set()
        for index in edition:
            repeats += events[index] in earlier
            doubles += events[index] in here
            here.add(events[index])
        earlier |= here
        count += len(edition)
    return repeats / count, doubles / count
