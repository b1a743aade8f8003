"""Tell an editor what the sieve keeps back of a feed, kind by kind and rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.editions.draft.passed_over import keeps_back, looks_for, rules_for
from digest.models import Feed, SieveRule, Story
from digest.ranking.sieve import IN_WORDS, Kind, kind_of
from digest.ranking.standing import DAYS, StandingItems

PERIOD = timedelta(days=DAYS)
# Of a feed that brings more in that time, the newest stories are looked at.
LOOKED_AT = 2000
_EXAMPLES = 3


@dataclass(frozen=True)
class Caught:
    """What a kind or a rule found among a feed's stories: how many, and some of them."""

    count: int
    examples: Sequence[Story]


@dataclass(frozen=True)
class KindReport:
    """A kind of what is no news; `is_kept_back` unless the feed lets it through."""

    kind: Kind
    words: str
    is_kept_back: bool
    caught: Caught


@dataclass(frozen=True)
class RuleReport:
    """An editor's words or folder, for this feed or for all of the newsletter's."""

    rule: SieveRule
    caught: Caught


@dataclass(frozen=True)
class SieveReport:
    """What the last two weeks' stories of a feed are."""

    looked_at: int
    kinds: Sequence[KindReport]
    rules: Sequence[RuleReport]


def sieve_report(feed: Feed, *, now: datetime) -> SieveReport:
    """Return what each kind and rule catches, whether the feed lets the kind through or not."""
    stories = list(
        Story.objects.filter(feed=feed, added_at__gte=now - PERIOD).order_by("-added_at", "-pk")[
            :LOOKED_AT
        ]
    )
    of_kind: dict[Kind, list[Story]] = {kind: [] for kind in Kind}
    zone = feed.newsletter.zone
    days = {story.pk: story.dated_at.astimezone(zone).date() for story in stories}
    standing = StandingItems((story.title, days[story.pk]) for story in stories)
    for story in stories:
        kind = kind_of(story.title, story.url)
        if kind is None and standing.days_of(story.title, days[story.pk]):
            kind = Kind.STANDING
        if kind:
            of_kind[kind].append(story)
    return SieveReport(
        looked_at=len(stories),
        kinds=[
            KindReport(kind, IN_WORDS[kind], looks_for(feed, kind), _caught(found))
            for kind, found in of_kind.items()
        ],
        rules=[
            RuleReport(rule, _caught(story for story in stories if keeps_back(rule, story)))
            for rule in rules_for([feed.newsletter_id], [feed.pk])
        ],
    )


def _caught(stories: Iterable[Story]) -> Caught:
    found = list(stories)
    return Caught(len(found), found[:_EXAMPLES])
