"""Say why a story is not proposed, although it is fresh: it looks like no news."""

from __future__ import annotations

from digest.models import Story
from digest.ranking.sieve import no_news


def why_passed_over(story: Story) -> str:
    """Return what the story is if it is no news ("a horoscope"); empty if it may be proposed.

    What an editor or a program brought in is what they want, and so is what an editor marked as
    wanted, or what comes from a feed of which everything is proposed.
    """
    if story.is_wanted or story.feed is None or story.feed.takes_all:
        return ""
    return no_news(story.title, story.url)
