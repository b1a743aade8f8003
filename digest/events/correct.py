"""What an editor says of events: these stories are one, or these are another one.

Grouping moves no story that an editor has placed, and lets no two such events become one. What
arrives later still joins them by its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from digest.models import Story


class NotOneNewsletter(Exception):
    """The stories belong to several newsletters, and an event belongs to one."""


def join(story_ids: Collection[int]) -> int:
    """Make one event of the events of these stories; return how many stories are in it now.

    Raises:
        NotOneNewsletter: they are not of one newsletter.
    """
    with transaction.atomic():
        chosen = _locked(Story.objects.filter(pk__in=story_ids))
        _insist_on_one_newsletter(chosen)
        numbers = Counter(story.event or story.pk for story in chosen)
        members = _locked(_of_events(chosen))
        if not members:
            return 0
        number = numbers.most_common(1)[0][0]
        return _pin(members, number)


def separate(story_ids: Collection[int]) -> int:
    """Make an event of its own of these stories; return how many are left in their old events.

    Raises:
        NotOneNewsletter: they are not of one newsletter.
    """
    with transaction.atomic():
        chosen = _locked(Story.objects.filter(pk__in=story_ids))
        _insist_on_one_newsletter(chosen)
        ids = {story.pk for story in chosen}
        left: dict[int, list[Story]] = {}
        for story in _locked(_of_events(chosen)):
            if story.pk not in ids:
                left.setdefault(story.event or story.pk, []).append(story)
        for number, stories in left.items():
            _pin(stories, min(story.pk for story in stories) if number in ids else number)
        if chosen:
            _pin(chosen, min(ids))
        return sum(map(len, left.values()))


def _locked(stories: QuerySet[Story]) -> list[Story]:
    return list(stories.order_by("pk").select_for_update(no_key=True))


def _of_events(stories: Collection[Story]) -> QuerySet[Story]:
    """Return the stories themselves and all others of their events."""
    numbers = {story.event for story in stories if story.event is not None}
    return Story.objects.filter(event__in=numbers) | Story.objects.filter(
        pk__in=[story.pk for story in stories]
    )


def _insist_on_one_newsletter(stories: Collection[Story]) -> None:
    if len({story.newsletter_id for story in stories}) > 1:
        raise NotOneNewsletter("These stories belong to several newsletters.")


def _pin(stories: Collection[Story], number: int) -> int:
    ids = [story.pk for story in stories]
    return Story.objects.filter(pk__in=ids).update(event=number, event_is_pinned=True)
