"""Say why a story is not proposed although it is fresh, and why a draft has so few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q

from digest.models import Story
from digest.ranking.sieve import no_news
from subscribers.models import Newsletter, Section

# On a thin day, what arrived late may be as old as this. Nothing older fills an edition.
LATE_FOR = timedelta(days=7)
# So many of the newest stories are looked at to say what became of them.
LOOKED_AT = 500
_NO_ROOM = "event printed or drafted already, or section full"


def why_passed_over(story: Story) -> str:
    """Return what the story is if it is no news ("a horoscope"); empty if it may be proposed.

    What an editor or a program brought in is what they want, and so is what an editor marked as
    wanted, or what comes from a feed of which everything is proposed.
    """
    if story.is_wanted or story.feed is None or story.feed.takes_all:
        return ""
    return no_news(story.title, story.url)


def why_not_proposed(story: Story, *, now: datetime) -> str:
    """Return why no draft of today would propose the story, in a few words; empty if one may."""
    if story.is_hidden:
        return "hidden"
    if story.published_at is None and story.is_backlog:
        return "of unknown age"
    if story.dated_at < now - LATE_FOR:
        return "older than a week"
    return why_passed_over(story)


def why_so_few(
    newsletter: Newsletter,
    *,
    proposed: Collection[int],
    left_out: Mapping[int, str],
    wanted: int,
    since: datetime,
    now: datetime,
) -> str:
    """Return in words what became of the stories since then, for the log of a short edition.

    `proposed` has the ids of the stories that are in it, and `left_out` says of others what kept
    them out.
    """
    arrived = (
        Story.objects.filter(Q(added_at__gte=since) | Q(published_at__gte=since))
        .filter(newsletter=newsletter)
        .exclude(pk__in=proposed)
        .select_related("feed")
        .order_by("-added_at", "-pk")[:LOOKED_AT]
    )
    counts = Counter(
        why_not_proposed(story, now=now) or left_out.get(story.pk, _NO_ROOM) for story in arrived
    )
    parts = "; ".join(f"{count}: {reason}" for reason, count in counts.most_common())
    start = f"Drafted with {len(proposed)} of at least {wanted} stories. "
    if not parts:
        return f"{start}There were no others"
    of_newest = f" (of the newest {LOOKED_AT})" if counts.total() == LOOKED_AT else ""
    return f"{start}Not proposed{of_newest}: {parts}"[:500]


def short_sections(sections: Sequence[Section], stories: Iterable[int | None]) -> str:
    """Return in words which sections have fewer stories than their minimum; empty if none has.

    `stories` has the section's id of each story that the draft has.
    """
    counts = Counter(stories)
    short = "; ".join(
        f"{section.name} has {counts[section.pk]} of {section.min_stories}"
        for section in sections
        if counts[section.pk] < section.min_stories
    )
    return f"No more fresh stories fit into these sections: {short}"[:500] if short else ""
