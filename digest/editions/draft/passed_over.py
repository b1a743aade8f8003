"""Say why a story is not proposed although it is fresh, and why a draft has so few."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from digest.filing.phrases import has_folders, has_words
from digest.models import Feed, SieveRule, Story
from digest.ranking.sieve import IN_WORDS, Kind, kind_of
from digest.ranking.standing import DAYS, StandingItems
from subscribers.models import Newsletter, Section

# A story older than this is not news; one that the last edition could have had is not new.
FRESH_FOR = timedelta(hours=48)
# On a thin day, what arrived late may be as old as this. Nothing older fills an edition.
LATE_FOR = timedelta(days=7)
# So many of the newest stories are looked at to say what became of them.
LOOKED_AT = 500
# To find standing items, so many of the newest headlines are read at most. With more in two weeks,
# it is fewer days that are looked back.
MOST_HEADLINES = 20_000
DRAFTED_SHORT = "Drafted with "
_NO_ROOM = "event printed or drafted already, or section full"


class Sieve:
    """What the editors of some feeds let through and keep back, and what these feeds repeat.

    It is made for the stories at hand, with three queries, and is good for as long as they are.
    """

    def __init__(self, stories: Iterable[Story]) -> None:
        """Read what concerns the stories; each has its `feed` loaded."""
        # In what is wanted or was added by hand nobody looks for anything.
        asked = [s for s in stories if s.feed and not s.is_wanted]
        self._rules: defaultdict[tuple[int | None, int | None], list[SieveRule]]
        self._rules = defaultdict(list)
        newsletters = {story.newsletter_id for story in asked}
        for rule in rules_for(newsletters, {s.feed_id for s in asked}) if asked else ():
            # A feed's rules stay its own if it moves to another newsletter.
            self._rules[None if rule.feed_id else rule.newsletter_id, rule.feed_id].append(rule)
        found = Newsletter.objects.in_bulk(newsletters) if asked else {}
        self._zones = {pk: newsletter.zone for pk, newsletter in found.items()}
        repeating = [s for s in asked if s.feed and looks_for(s.feed, Kind.STANDING)]
        self._standing = _standing_items(repeating, self._zones)

    def why(self, story: Story) -> str:
        """Return what the story is if it is no news ("a horoscope"); empty if it may be proposed.

        What an editor or a program brought in is what they want, and so is what an editor marked as
        wanted. An editor's words hold for a feed of which everything is proposed, too.
        """
        feed = story.feed
        if story.is_wanted or feed is None:
            return ""
        rules = self._rules[feed.newsletter_id, None] + self._rules[None, feed.pk]
        if rule := next((rule for rule in rules if keeps_back(rule, story)), None):
            return rule.reason
        if feed.takes_all:
            return ""
        if kind := kind_of(story.title, story.url, let_through=feed.kinds_let_through):
            return IN_WORDS[kind]
        return self._why_standing(story)

    def _why_standing(self, story: Story) -> str:
        items = self._standing.get(story.feed_id or 0)
        if items is None:
            return ""
        day = story.dated_at.astimezone(self._zones[story.newsletter_id]).date()
        days = items.days_of(story.title, day)
        if not days:
            return ""
        return f"{IN_WORDS[Kind.STANDING]}: the same headline on {days} of {DAYS} days"


def looks_for(feed: Feed, kind: Kind) -> bool:
    """Tell whether the sieve keeps this kind of the feed's stories back."""
    return not feed.takes_all and kind not in feed.kinds_let_through


def rules_for(newsletters: Collection[int], feeds: Collection[int | None]) -> QuerySet[SieveRule]:
    """Return what editors wrote for all of the newsletters' feeds, and for these feeds."""
    return SieveRule.objects.filter(Q(newsletter__in=newsletters, feed=None) | Q(feed__in=feeds))


def keeps_back(rule: SieveRule, story: Story) -> bool:
    """Tell whether the story meets the rule, whatever its feed."""
    if rule.kind == SieveRule.Kind.PATH:
        return has_folders(story.url, rule.value)
    return has_words(story.title, rule.value)


def _standing_items(
    stories: Sequence[Story], zones: Mapping[int, ZoneInfo]
) -> dict[int, StandingItems]:
    """Return what the feeds of the stories brought since two weeks before the first of these."""
    if not stories:
        return {}
    first = min(story.dated_at for story in stories) - timedelta(days=DAYS)
    last = max(story.dated_at for story in stories)
    rows = (
        Story.objects.filter(
            Q(published_at__gte=first, published_at__lte=last)
            | Q(published_at=None, added_at__gte=first, added_at__lte=last),
            newsletter__in=zones,
            feed__in={story.feed_id for story in stories},
        )
        .order_by(Coalesce("published_at", "added_at").desc(), "-pk")
        .values_list("feed", "newsletter", "title", Coalesce("published_at", "added_at"))
    )
    brought: defaultdict[int, list[tuple[str, date]]] = defaultdict(list)
    for feed_id, newsletter_id, title, moment in rows[:MOST_HEADLINES]:
        brought[feed_id].append((title, moment.astimezone(zones[newsletter_id]).date()))
    return {feed_id: StandingItems(found) for feed_id, found in brought.items()}


def why_not_printable(story: Story) -> str:
    """Return why no edition should print the story, however old it may be; empty if one may."""
    if story.is_hidden:
        return "hidden"
    return "its page is gone" if story.link_died_at else ""


def why_not_proposed(story: Story, sieve: Sieve, *, now: datetime) -> str:
    """Return why no draft of today would propose the story, in a few words; empty if one may."""
    if why := why_not_printable(story):
        return why
    if story.wanted_at and story.wanted_at >= now - FRESH_FOR:
        return ""
    if story.published_at is None and story.is_backlog:
        return "of unknown age"
    # On a thin day a draft takes what arrived in the last two days and is no older than a week.
    arrived_lately = story.added_at >= now - FRESH_FOR
    if story.dated_at < now - (LATE_FOR if arrived_lately else FRESH_FOR):
        if story.added_at - story.dated_at > FRESH_FOR:
            return "old already when it arrived"
        return "older than two days"
    return sieve.why(story)


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
    arrived = list(
        Story.objects.filter(Q(added_at__gte=since) | Q(published_at__gte=since))
        .filter(newsletter=newsletter)
        .exclude(pk__in=proposed)
        .select_related("feed")
        .order_by("-added_at", "-pk")[:LOOKED_AT]
    )
    sieve = Sieve(arrived)
    # How often a standing item came is said beside the story.
    counts = Counter(
        why_not_proposed(story, sieve, now=now).partition(":")[0]
        or left_out.get(story.pk, _NO_ROOM)
        for story in arrived
    )
    parts = "; ".join(f"{count}: {reason}" for reason, count in counts.most_common())
    start = f"{DRAFTED_SHORT}{len(proposed)} of at least {wanted} stories. "
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
