"""Group the stories that arrived with those of the last days, and keep each event's number."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, Min, Window
from django.db.models.functions import Coalesce, RowNumber

from digest.events.recent import COMPARED_WITHIN, comparable
from digest.events.vectors import packed_vectors
from digest.feeds import child_process
from digest.models import Story
from digest.ranking import Article
from digest.ranking.deferred import FoundEvent, events_joined, events_of

logger = logging.getLogger(__name__)

# Of more stories than these in that time, only the newest are compared.
MOST_STORIES = 15_000
# And then so many of one feed, so that one whose entries are all new at each fetch is not all that
# is compared.
MOST_OF_A_FEED = 1500
# A feed brings its stories one after the other. All of them are grouped at once.
SETTLED_AFTER = timedelta(minutes=2)
# Of more new stories than these, or than this share of all, everything is grouped again.
MOST_JOINING, MOST_JOINING_SHARE = 500, 0.1

_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('digest.events:' || %s, 0))"
# What a feed is changing at this moment is left for the next time, so that neither waits for the
# other. What an editor has put somewhere meanwhile stays there.
_WRITE = """
WITH found AS (
    SELECT id, event AS was, new_text, new_cluster,
           CASE WHEN event_is_pinned THEN event ELSE new_event END AS new_event
      FROM digest_story
      JOIN unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
           AS t(pk, new_event, new_text, new_cluster) ON id = pk
       FOR NO KEY UPDATE OF digest_story SKIP LOCKED
)
UPDATE digest_story SET event = new_event, text_number = new_text, cluster = new_cluster
  FROM found
 WHERE digest_story.id = found.id
   AND (event, text_number, cluster) IS DISTINCT FROM (new_event, new_text, new_cluster)
RETURNING was IS DISTINCT FROM event
"""


def due_newsletters(*, now: datetime) -> list[int]:
    """Return the ids of the newsletters with stories that have waited to be grouped."""
    return list(
        Story.objects.filter(event=None, added_at__gte=now - COMPARED_WITHIN)
        .values("newsletter")
        .annotate(first=Min("added_at"))
        .filter(first__lte=now - SETTLED_AFTER)
        .order_by("first")
        .values_list("newsletter", flat=True)
    )


def group_stories(*, newsletter_id: int, now: datetime, from_scratch: bool = False) -> int:
    """Group a newsletter's stories of the last days; return how many got another event.

    A few new stories join the events that are known, which takes a fraction of the time. With
    `from_scratch`, or if much is new, all come to stand where their words put them, in whatever
    order they arrived. A story that an editor put into an event stays there in any case. Of two
    calls at once for one newsletter, the second does nothing.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [newsletter_id])
            if not cursor.fetchone()[0]:
                return 0
        return _group(newsletter_id, now=now, from_scratch=from_scratch)


def _group(newsletter_id: int, *, now: datetime, from_scratch: bool) -> int:
    recent = _recent(newsletter_id, now)
    held = {story.pk: story.event for story in recent}
    new = sum(event is None for event in held.values())
    joins = not from_scratch and new <= min(MOST_JOINING, MOST_JOINING_SHARE * len(recent))
    # Who joins a cluster takes its number, also if the story whose id it is is too old by now.
    clusters = {story.pk: story.cluster or story.event for story in recent} if joins else {}
    count = _write(recent, _places(_events(recent, joins=joins), held, clusters))
    # What is too old to be compared, or too much, is an event of its own.
    rest = Story.objects.filter(
        newsletter=newsletter_id, event=None, added_at__gte=now - COMPARED_WITHIN
    ).exclude(pk__in=held)
    return count + rest.update(event=F("pk"), cluster=F("pk"))


def _recent(newsletter_id: int, now: datetime) -> list[Story]:
    newest = ("-dated", "-pk")
    stories = (
        comparable([newsletter_id], now=now)
        .annotate(dated=Coalesce("published_at", "added_at"))
        .select_related("feed")
        .order_by(*newest)
    )
    found: list[Story] = list(stories[:MOST_STORIES])
    if len(found) < MOST_STORIES:
        return found
    place = Window(RowNumber(), partition_by=Coalesce("feed", -F("pk")), order_by=newest)
    ranked = stories.annotate(place_in_feed=place).filter(place_in_feed__lte=MOST_OF_A_FEED)
    return list(ranked[:MOST_STORIES])


class Numbers(NamedTuple):
    """Where a story belongs: the numbers of its event, of its text there and of its cluster."""

    event: int | None
    text: int | None
    cluster: int | None


def _places(
    events: Sequence[FoundEvent],
    held: Mapping[int, int | None],
    clusters: Mapping[int, int | None],
) -> dict[int, Numbers]:
    """Return where each story belongs; the events have the stories' ids.

    `clusters` has the numbers of those that stay clusters.
    """
    groups = [[pk for text in event.texts for pk in text] for event in events]
    return {
        pk: Numbers(
            number,
            min(text) if len(group) > 1 else None,
            next(filter(None, map(clusters.get, event.around)), min(event.around)),
        )
        for event, group, number in zip(events, groups, event_numbers(groups, held), strict=True)
        for text in event.texts
        for pk in text
    }


def _write(stories: Sequence[Story], places: Mapping[int, Numbers]) -> int:
    """Store where the stories belong; return how many got another event."""
    here = {s.pk: Numbers(s.event, s.text_number, s.cluster) for s in stories}
    rows = [(pk, *place) for pk, place in places.items() if here[pk] != place]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, columns)
        return sum(1 for (moved,) in cursor.fetchall() if moved)


def _events(stories: Sequence[Story], *, joins: bool) -> list[FoundEvent]:
    """Return the events with the stories' ids; with `joins`, only those that changed."""
    articles = [
        Article(
            title=story.title,
            summary=story.summary,
            source=story.outlet,
            url=story.url,
            published=story.dated_at,
            lang=story.lang,
        )
        for story in stories
    ]
    pks = [story.pk for story in stories]
    vectors = packed_vectors(stories)
    try:
        # In a process of its own: numpy and its friends would stay in this one for good, and
        # whatever feeds bring, it ends in time.
        if joins:
            held = [story.event for story in stories]
            clusters = [story.cluster or story.event for story in stories]
            found = child_process.call_without_hurry(
                events_joined, articles, held, clusters, vectors
            )
        else:
            pins = [story.event if story.event_is_pinned else None for story in stories]
            found = child_process.call_without_hurry(events_of, articles, pins, vectors)
    except child_process.UsedUp as error:
        logger.error("Stories are not grouped, each is an event of its own for now: %s", error)
        return [FoundEvent([[story.pk]], [story.pk]) for story in stories if story.event is None]
    return [
        FoundEvent(
            texts=[[pks[index] for index in text] for text in event.texts],
            around=[pks[index] for index in event.around],
        )
        for event in found
    ]


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
