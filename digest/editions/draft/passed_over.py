"""Say why a story is not proposed although it is fresh, and why a draft has so few."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Q

from digest.models import Story
from digest.ranking.sieve import no_news
from subscribers.models import Newsletter

# On a thin day, what arrived late may be as old as this. Nothing older fills an edition.
LATE_FOR = timedelta(days=7)
# So many of the newest stories are looked at to say what became of them.
LOOKED_AT = 500
_HAS_ITS_PLACE = "of an event that has its place"


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


def why_so_few(newsletter: Newsletter, *, proposed: int, wanted: int, since: datetime) -> str:
    """Return in words what became of the newsletter's stories, for the log of a short edition."""
    stories = Story.objects.filter(newsletter=newsletter).select_related("feed")
    is_fresh = Q(published_at__gte=since) | Q(
        published_at=None, is_backlog=False, added_at__gte=since
    )
    fresh = list(stories.filter(is_fresh).order_by("-added_at")[:LOOKED_AT])
    counts = Counter(
        "hidden" if story.is_hidden else why_passed_over(story) or _HAS_ITS_PLACE for story in fresh
    )
    counts[_HAS_ITS_PLACE] -= proposed
    old = stories.filter(added_at__gte=since).exclude(is_fresh).count()
    parts = [f"{count}: {what}" for what, count in counts.most_common() if count > 0]
    if old:
        parts.append(f"{old}: older, or of unknown age")
    rest = "; ".join(parts) if parts else "there were no others"
    return f"Drafted with {proposed} of at least {wanted} stories. Not proposed: {rest}"[:500]
