"""Find which stories share a topic, and say it in words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from digest.models import Story
from digest.ranking import Article
from digest.ranking.select import PER_TOPIC, Candidate
from digest.ranking.topics import topics

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Topic:
    """What several events of a draft's stories are about; `events` is how many."""

    name: str
    events: int

    def in_words(self, place: int) -> str:
        """Return it as an editor reads it beside the story at this place; the first is 0."""
        ordinal = _ORDINALS[place] if place < len(_ORDINALS) else f"number {place + 1}"
        return f"{ordinal} of {self.events} about “{self.name}”"


def topics_of(stories: Iterable[Story]) -> dict[int, Topic]:
    """Return the topics of the stories that have one, by the stories' ids."""
    reports: defaultdict[int, list[Story]] = defaultdict(list)
    for story in stories:
        reports[story.event or story.pk].append(story)
    names = topics([[article_of(story) for story in members] for members in reports.values()])
    counts = Counter(names)
    return {
        story.pk: Topic(name, counts[name])
        for name, members in zip(names, reports.values(), strict=True)
        for story in members
        if name
    }


def article_of(story: Story) -> Article:
    return Article(
        title=story.title,
        summary=story.summary,
        source=story.outlet,
        url=story.url,
        published=story.dated_at,
    )


def places(ranked: Sequence[Candidate], found: Mapping[int, Topic]) -> dict[int, str]:
    """Return for each chosen story with a topic which of the topic's stories it is."""
    count: Counter[str] = Counter()
    words = {}
    for candidate in ranked:
        if topic := found.get(candidate.id):
            words[candidate.id] = topic.in_words(count[topic.name])
            count[topic.name] += 1
    return words


def left_out(
    ranked: Sequence[Candidate], found: Mapping[int, Topic], stories: Mapping[int, Story]
) -> dict[int, str]:
    """Return for each story of a topic that has its share in the edition already that it has."""
    chosen = Counter(topic.name for c in ranked if (topic := found.get(c.id)))
    printed = {stories[candidate.id].event or candidate.id for candidate in ranked}
    return {
        pk: f"more about “{topic.name}”"
        for pk, topic in found.items()
        if (stories[pk].event or pk) not in printed and chosen[topic.name] >= PER_TOPIC
    }
