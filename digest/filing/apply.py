"""File stories by a newsletter's rules: what arrives and, when an editor asks, what is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from digest.filing.matching import first_match
from digest.models import EditionItem, SectionRule, Story

# A rule that is new may be applied to stories that came so long ago.
APPLIES_BACK = timedelta(days=3)
# Of more stories than these, only the newest are filed anew.
MOST_STORIES = 5000


@dataclass(frozen=True)
class Move:
    """A story that a rule files elsewhere than it is."""

    story: Story
    rule: SectionRule


def rules_of(newsletter_id: int) -> list[SectionRule]:
    """Return the newsletter's rules in the order in which they are tried."""
    rules = SectionRule.objects.filter(newsletter=newsletter_id)
    return list(rules.select_related("section", "feed").order_by("position", "id"))


def file_stories(stories: Iterable[Story], rules: Sequence[SectionRule]) -> None:
    """Set the section of stories that nobody has filed by hand; save nothing.

    What meets no rule goes to its feed's section. Without a feed, it stays where it is. Where there
    are no rules, all stories stay.
    """
    for story in stories:
        if rules and not story.section_is_pinned:
            story.section_id = _section_id(story, rules)


def _section_id(story: Story, rules: Sequence[SectionRule]) -> int | None:
    if rule := first_match(story, rules):
        return rule.section_id
    return story.feed.section_id if story.feed else story.section_id


@transaction.atomic
def file_again(story_ids: Iterable[int]) -> int:
    """File stories by rule that somebody filed by hand; return how many have another section now.

    What meets no rule goes to its feed's section. An edition that has a story keeps it where it is.
    """
    stories = list(
        Story.objects.select_for_update(of=("self",))
        .select_related("feed")
        .filter(pk__in=story_ids)
        .order_by("pk")
    )
    before = {story.pk: story.section_id for story in stories}
    for newsletter_id in {story.newsletter_id for story in stories}:
        rules = rules_of(newsletter_id)
        for story in stories:
            if story.newsletter_id == newsletter_id:
                story.section_is_pinned = False
                story.section_id = _section_id(story, rules)
    Story.objects.bulk_update(stories, ["section", "section_is_pinned"])
    return sum(story.section_id != before[story.pk] for story in stories)


def movable(newsletter_id: int, *, now: datetime) -> list[Story]:
    """Return the last days' stories that are in no edition and that nobody has filed by hand."""
    placed = EditionItem.objects.filter(newsletter=newsletter_id, released=False)
    return list(
        Story.objects.filter(newsletter=newsletter_id, section_is_pinned=False)
        .filter(added_at__gte=now - APPLIES_BACK)
        .exclude(pk__in=placed.values("story"))
        .select_related("section", "feed")
        .order_by("-added_at", "-pk")[:MOST_STORIES]
    )


def find_moves(stories: Iterable[Story], rules: Sequence[SectionRule]) -> list[Move]:
    """Return the stories that the rules file elsewhere; what meets no rule stays."""
    found = ((story, first_match(story, rules)) for story in stories)
    return [Move(s, rule) for s, rule in found if rule and rule.section_id != s.section_id]


def apply_rules(*, newsletter_id: int, now: datetime) -> int:
    """File the last days' stories by the rules as they are now; return how many moved.

    What an editor files by hand or places in an edition at this moment stays as the editor has it.
    """
    moves = find_moves(movable(newsletter_id, now=now), rules_of(newsletter_id))
    of_section: defaultdict[int, list[int]] = defaultdict(list)
    for move in moves:
        of_section[move.rule.section_id].append(move.story.pk)
    count = 0
    with transaction.atomic():
        free = Story.objects.filter(pk__in=[move.story.pk for move in moves])
        list(free.select_for_update().order_by("pk").values_list("pk"))
        placed = EditionItem.objects.filter(newsletter=newsletter_id, released=False)
        for section_id, pks in of_section.items():
            count += (
                Story.objects.filter(pk__in=pks, section_is_pinned=False)
                .exclude(pk__in=placed.values("story"))
                .update(section=section_id)
            )
    return count
