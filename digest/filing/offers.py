"""Propose rules that would have filed a story where an editor has put it; never make one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Min

from digest.filing.apply import movable, rules_of
from digest.filing.matching import meets
from digest.filing.phrases import folders_of
from digest.filing.trial import try_rule
from digest.models import Feed, SectionRule, Story
from subscribers.models import Section

# What a rule would have done is judged by the feed's stories of so many days, the newest first.
JUDGED_BY = timedelta(days=14)
_LOOKED_AT = 500
_MOST_OFFERS = 4
# Of a path more folders than these are never a subject's.
_DEEPEST = 3
# Folders that say nothing of the subject: kinds of pages, languages, countries.
_WORDLESS = (
    "news story stories article articles artikel archive archives archiv content amp index html "
    "post posts blog blogs page pages p a id www rss feed home latest breaking live videos video "
    "av en de fr es it pt ar ja us uk int nachrichten actualites noticias noticia actu aktuell "
    "meldungen topics topic tag tags category categories section sections "
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep oct nov dec"
)
_SAY_NOTHING = frozenset(_WORDLESS.split())


@dataclass(frozen=True)
class Offer:
    """A rule that nobody has made yet, and how many of the last days' stories it would file."""

    rule: SectionRule
    filed: int
    differently: int


def offers_for(*, story: Story, section: Section | None, now: datetime) -> list[Offer]:
    """Return the rules that would have filed the story there, the most special first.

    Each holds for at least one more of the feed's recent stories, and against none that an editor
    has filed elsewhere. A category or a folder that all of the feed's stories have is not offered,
    since it says nothing. A story without a feed, or without a section, teaches nothing.
    """
    if section is None or story.feed is None or section.newsletter_id != story.newsletter_id:
        return []
    recent = list(
        Story.objects.filter(feed=story.feed, added_at__gte=now - JUDGED_BY)
        .exclude(pk=story.pk)
        .order_by("-added_at", "-pk")[:_LOOKED_AT]
    )
    rules = rules_of(story.newsletter_id)
    made = {(rule.feed_id, rule.kind, rule.value) for rule in rules}
    # What an editor has just said comes before the rules that are there.
    first = rules[0].position - 1 if rules else 0
    free = movable(story.newsletter_id, now=now)
    found = []
    for rule in _candidates(story, section, position=first):
        is_new = made.isdisjoint({(feed, rule.kind, rule.value) for feed in (rule.feed_id, None)})
        if is_new and _holds(rule, recent, section):
            trial = try_rule(rule, now=now, stories=free)
            found.append(Offer(rule, filed=trial.matching, differently=trial.moving))
        if len(found) == _MOST_OFFERS:
            break
    return found


def is_offered(
    *, story: Story, section: Section, kind: str, value: str, now: datetime
) -> SectionRule | None:
    """Return the unsaved rule of an offer that was shown; None if it is no offer any more."""
    offers = offers_for(story=story, section=section, now=now)
    same = (o.rule for o in offers if (o.rule.kind, o.rule.value) == (kind, value))
    return next(same, None)


def make_first(rule: SectionRule) -> bool:
    """Save an offered rule before all others; False if somebody else has just made the same."""
    try:
        with transaction.atomic():
            others = SectionRule.objects.filter(newsletter=rule.newsletter)
            rule.position = others.aggregate(first=Min("position"))["first"] or 0
            others.update(position=F("position") + 1)
            rule.save()
    except IntegrityError:
        return False
    return True


def _candidates(story: Story, section: Section, *, position: int) -> Iterator[SectionRule]:
    of_feed = {
        "newsletter": story.newsletter,
        "section": section,
        "feed": story.feed,
        "position": position,
    }
    for path in _paths(story.url):
        yield SectionRule(kind=SectionRule.Kind.PATH, value=path, **of_feed)
    for category in story.categories:
        yield SectionRule(kind=SectionRule.Kind.CATEGORY, value=category, **of_feed)
    if story.feed and story.feed.section_id != section.pk:
        yield SectionRule(kind=SectionRule.Kind.FEED, value="", **of_feed)


def _paths(url: str) -> list[str]:
    """Return the beginnings of the address that may be a subject's, the longest first."""
    # The last part is the story itself.
    subjects: list[str] = []
    for folder in folders_of(url)[:-1][:_DEEPEST]:
        # A date or an id: nothing below it is a subject's.
        if any(character.isdigit() for character in folder) or len(folder) > 40:
            break
        subjects.append(folder)
    ends = (end for end in range(len(subjects), 0, -1) if subjects[end - 1] not in _SAY_NOTHING)
    return [f"/{'/'.join(subjects[:end])}/" for end in ends]


def _holds(rule: SectionRule, recent: Sequence[Story], section: Section) -> bool:
    """Tell whether the feed's recent stories speak for the rule."""
    met = [story for story in recent if meets(story, rule)]
    by_hand = [story.section_id for story in met if story.section_is_pinned]
    if any(pk != section.pk for pk in by_hand):
        return False
    # One correction does not speak for all of a feed, nor for the greater part of it.
    if len(by_hand) < 2 and (rule.kind == SectionRule.Kind.FEED or 2 * len(met) > len(recent)):
        return False
    is_of_all = len(met) == len(recent)
    if rule.kind == SectionRule.Kind.FEED:
        return not _is_divided(recent)
    return bool(met) and not is_of_all


def _is_divided(recent: Sequence[Story]) -> bool:
    """Tell whether a feed's stories are in several sections, though nobody moved one by hand."""
    return len({story.section_id for story in recent if not story.section_is_pinned}) > 1


def describe(rule: SectionRule) -> str:
    """Ask for the rule: “Always file what is under /sport/ of BBC News in Sport?”."""
    feed: Feed | None = rule.feed
    of_feed = f" of {feed}" if feed else ""
    what = {
        SectionRule.Kind.PATH: f"stories{of_feed} under {rule.value}",
        SectionRule.Kind.CATEGORY: f"stories{of_feed} with the category “{rule.value}”",
        SectionRule.Kind.WORDS: f"stories{of_feed} with “{rule.value}” in the headline",
        SectionRule.Kind.FEED: f"all stories{of_feed}",
    }[SectionRule.Kind(rule.kind)]
    return f"Always file {what} in {rule.section}"
