"""Group the stories that arrived with those of the last days, and keep each event's number."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Min
from django.db.models.functions import Coalesce

from digest.feeds import child_process
from digest.models import Story
from digest.ranking import Article
from digest.ranking.deferred import group_pinned

logger = logging.getLogger(__name__)

# Reports of one event lie at most so far apart.
WINDOW = timedelta(days=3)
# Of more stories than these in that time, only the newest are compared.
MOST_STORIES = 15_000
# A feed brings its stories one after the other. All of them are grouped at once.
SETTLED_AFTER = timedelta(minutes=2)

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('digest.events:' || %s, 0))"
# What a feed is changing at this moment is left for the next time, so that neither waits for the
# other. What an editor has put somewhere meanwhile stays there.
_MOVE = """
WITH moved AS (
    SELECT id, number
      FROM digest_story JOIN unnest(%s::bigint[], %s::bigint[]) AS t(pk, number) ON id = pk
     WHERE NOT event_is_pinned
       FOR NO KEY UPDATE OF digest_story SKIP LOCKED
)
UPDATE digest_story SET event = number FROM moved WHERE digest_story.id = moved.id
"""


def due_newsletters(*, now: datetime) -> list[int]:
    """Return the ids of the newsletters with stories that have waited to be grouped."""
    return list(
        Story.objects.filter(event=None, added_at__gte=now - WINDOW)
        .values("newsletter")
        .annotate(first=Min("added_at"))
        .filter(first__lte=now - SETTLED_AFTER)
        .order_by("first")
        .values_list("newsletter", flat=True)
    )


def group_stories(*, newsletter_id: int, now: datetime) -> int:
    """Group a newsletter's stories of the last days; return how many got another event.

    A story that an editor put into an event stays there. The others come to stand where their
    words put them, in whatever order they arrived. Of two calls at once for one newsletter, the
    second does nothing.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [newsletter_id])
            if not cursor.fetchone()[0]:
                return 0
        return _group(newsletter_id, now=now)


def _group(newsletter_id: int, *, now: datetime) -> int:
    of_newsletter = Story.objects.filter(newsletter=newsletter_id)
    recent = list(
        of_newsletter.filter(added_at__gte=now - 2 * WINDOW)
        .annotate(dated=Coalesce("published_at", "added_at"))
        .filter(dated__gte=now - WINDOW)
        .exclude(published_at=None, is_backlog=True)
        .select_related("feed")
        .order_by("-dated", "-pk")[:MOST_STORIES]
    )
    groups = _groups(recent)
    held = {story.pk: story.event for story in recent}
    moved = {
        pk: number
        for pks, number in zip(groups, event_numbers(groups, held), strict=True)
        for pk in pks
        if held[pk] != number
    }
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, [list(moved), list(moved.values())])
        count: int = cursor.rowcount
    # What is too old to be compared, or too much, is an event of its own.
    rest = of_newsletter.filter(event=None, added_at__gte=now - WINDOW).exclude(pk__in=held)
    return count + rest.update(event=F("pk"))


def _groups(stories: Sequence[Story]) -> list[list[int]]:
    """Return the ids of the stories, those of one event together."""
    articles = [
        Article(
            title=story.title,
            summary=story.summary,
            source=story.outlet,
            url=story.url,
            published=story.dated_at,
        )
        for story in stories
    ]
    pins = [story.event if story.event_is_pinned else None for story in stories]
    try:
        # In a process of its own: numpy and its friends would stay in this one for good, and
        # whatever feeds bring, it ends in time.
        found = child_process.call(group_pinned, articles, pins)
    except child_process.UsedUp as error:
        logger.error("Stories are not grouped, each is an event of its own for now: %s", error)
        return [[story.pk] for story in stories if story.event is None]
    return [[stories[index].pk for index in indexes] for indexes in found]


def event_numbers(groups: Sequence[Sequence[int]], held: Mapping[int, int | None]) -> list[int]:
    """Return a number for each group of story ids: the one that most of its stories had, if any.

    `held` has the number that each story of the groups has now. A number is the id of one of its
    event's stories, so that no two events ever get the same. A story that is not in `held` is too
    old to be grouped, and its number stays with the stories that have it.
    """
    claims = sorted(
        (-count, number, index)
        for index, group in enumerate(groups)
        for number, count in Counter(held[pk] for pk in group).items()
        if number is not None and (number in group or number not in held)
    )
    numbers: dict[int, int] = {}
    for _, number, index in claims:
        if index not in numbers and number not in numbers.values():
            numbers[index] = number
    return [numbers.get(index, min(group)) for index, group in enumerate(groups)]
