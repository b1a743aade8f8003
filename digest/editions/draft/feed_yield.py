"""Tell what became of the stories that each feed brought in the last two weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Window
from django.db.models.functions import RowNumber

from digest.editions.draft.passed_over import Sieve
from digest.models import EditionItem, Story

PERIOD = timedelta(days=14)
# So many of a feed's newest stories are looked at for the share that is no news: each takes a
# twentieth of a millisecond, and a page lists fifty feeds.
LOOKED_AT = 40


@dataclass(frozen=True)
class FeedYield:
    """How many of a feed's stories stand in editions of the last two weeks, and were printed.

    `no_news` of the `looked_at` newest stories are not proposed, because they look like no news.
    """

    in_editions: int = 0
    printed: int = 0
    no_news: int = 0
    looked_at: int = 0

    @property
    def no_news_percent(self) -> int | None:
        """The share that is no news; None if there was nothing to look at."""
        return round(100 * self.no_news / self.looked_at) if self.looked_at else None


def feed_yields(feed_ids: Collection[int], *, now: datetime) -> dict[int, FeedYield]:
    """Return what each feed yielded, by its id, in a few queries however many feeds there are."""
    items = (
        EditionItem.objects.filter(
            story__feed__in=feed_ids, edition__slot_date__gte=(now - PERIOD).date(), released=False
        )
        .values("story__feed_id")
        .annotate(
            stood=Count("story", distinct=True),
            printed=Count("story", distinct=True, filter=Q(edition__sending_at__isnull=False)),
        )
    )
    placed = {row["story__feed_id"]: (row["stood"], row["printed"]) for row in items}
    seen: Counter[int | None] = Counter()
    sieved: Counter[int | None] = Counter()
    newest = _newest(feed_ids, now=now)
    sieve = Sieve(newest)
    for story in newest:
        seen[story.feed_id] += 1
        sieved[story.feed_id] += bool(sieve.why(story))
    return {
        feed_id: FeedYield(*placed.get(feed_id, (0, 0)), sieved[feed_id], seen[feed_id])
        for feed_id in feed_ids
    }


def _newest(feed_ids: Collection[int], *, now: datetime) -> list[Story]:
    place = Window(RowNumber(), partition_by=F("feed_id"), order_by=F("published_at").desc())
    stories = Story.objects.filter(feed__in=feed_ids, published_at__gte=now - PERIOD)
    ranked = stories.annotate(place=place).filter(place__lte=LOOKED_AT)
    return list(ranked.select_related("feed").defer("text"))
