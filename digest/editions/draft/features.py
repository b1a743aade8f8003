"""Tell the ranking what is known of the stories, and an editor why it chose one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.editions.draft.follow_ups import why_again
from digest.editions.draft.topic import Topic, places
from digest.events.summary import summaries_of
from digest.models import EditionItem, RankingWeights, Story
from digest.models.ranking_weights import WEIGHT_NAMES
from digest.ranking.select import Candidate
from digest.ranking.terms import VELOCITY_HOURS, Features, Weights
from digest.ranking.words import says_more
from digest.rendering.contents import hero_of
from subscribers.models import Newsletter, Section

# An editor who added a story by hand wants it in.
BY_HAND_WEIGHT = 2.0


@dataclass(frozen=True)
class EventState:
    """What was known of an event at one moment; `own_reporting` is None if nobody has compared.

    `sources` is how many outlets report it, `own_reporting` how many of them with a text of their
    own. `joined` is how many began in the last VELOCITY_HOURS, without the first one.
    """

    sources: int
    own_reporting: int | None
    joined: int
    first_at: datetime

    @property
    def independent(self) -> int:
        """How many sources count: outlets that print one text are one, where that is known."""
        return self.sources if self.own_reporting is None else max(self.own_reporting, 1)


def weights_of(newsletter: Newsletter) -> Weights:
    """Return the newsletter's own weights, or the defaults if no editor has changed any."""
    row = RankingWeights.objects.filter(newsletter=newsletter).first()
    return as_weights(row) if row else Weights()


def as_weights(row: RankingWeights) -> Weights:
    """Return what the ranking takes; the row need not be saved."""
    return Weights(**{name: getattr(row, name) for name in WEIGHT_NAMES})


@dataclass(frozen=True)
class Known:
    """What is known of a draft's stories together.

    `events` has the state of each event by its number, `topics` the topic of each story that has
    one, by the story's id, and `sections` the names of the newsletter's sections in their order.
    `follows` has what a follow-up follows, by the story's id, and `printed_clusters` the clusters
    of what readers had lately.
    """

    events: Mapping[int, EventState]
    topics: Mapping[int, Topic]
    sections: Mapping[int, str]
    follows: Mapping[int, EditionItem]
    printed_clusters: Collection[int] = ()


def event_states(stories: Iterable[Story], *, now: datetime) -> dict[int, EventState]:
    """Return the state, at `now`, of each event of which one of the stories is a report.

    Which stories report it is taken as it is known today.
    """
    stories = list(stories)
    summaries = summaries_of(stories, until=now)
    joined = _joined(stories, now=now)
    return {
        number: EventState(
            sources=summary.sources,
            own_reporting=summary.own_reporting,
            joined=joined[number],
            first_at=summary.first_at,
        )
        for number, summary in summaries.items()
        if number is not None
    }


def _joined(stories: Iterable[Story], *, now: datetime) -> Counter[int]:
    """Return how many outlets began to report each event lately, without its first one."""
    numbers = {story.event for story in stories if story.event is not None}
    reports = (
        Story.objects.filter(event__in=numbers, added_at__lte=now)
        .select_related("feed")
        .only("event", "source_name", "published_at", "added_at", "feed__source_name",
              "feed__title")
    )  # fmt: skip
    began: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
    for story in reports:
        firsts, outlet = began[story.event or story.pk], story.outlet
        firsts[outlet] = min(firsts.get(outlet, story.dated_at), story.dated_at)
    since = now - timedelta(hours=VELOCITY_HOURS)
    return Counter(
        {number: sum(at > since for at in sorted(f.values())[1:]) for number, f in began.items()}
    )


def candidates_of(stories: Iterable[Story], known: Known) -> list[Candidate]:
    """Return what the ranking chooses from; a newsletter without sections fits none."""
    return [_candidate(story, known) for story in stories]


def _candidate(story: Story, known: Known) -> Candidate:
    hero, state = hero_of(story), known.events.get(story.event or 0)
    return Candidate(
        id=story.pk,
        source=story.outlet,
        section_id=story.section_id,
        published_at=story.new_since,
        weight=story.feed.weight if story.feed else BY_HAND_WEIGHT,
        has_image=hero is not None,
        image_width=hero.known_width if hero else 0,
        has_summary=says_more(story.summary, than=story.title),
        event=story.event,
        sources=state.independent if state else None,
        topic=known.topics[story.pk].name if story.pk in known.topics else "",
        cluster=story.cluster,
        may_repeat=story.cluster in known.printed_clusters,
        is_follow_up=story.pk in known.follows,
        features=Features(
            joined=state.joined if state else None,
            position=story.feed_position,
            section_fit=float(story.section_id is not None) if known.sections else None,
            boost=story.boost,
        ),
    )


def reasons(chosen: Sequence[Candidate], known: Known, *, now: datetime) -> list[str]:
    """Return for each story, in the order of its rank, why it was chosen, in words."""
    sizes = Counter(candidate.section_id for candidate in chosen)
    of_topics = places(chosen, known.topics)
    in_section: Counter[int | None] = Counter()
    found = []
    for candidate in chosen:
        section = candidate.section_id
        in_section[section] += 1
        state = known.events.get(candidate.event or 0)
        parts = [*_sources_in_words(state), _since(candidate, state, now=now)]
        if section is not None and section in known.sections:
            name = known.sections[section]
            parts.append(f"{name} {in_section[section]} of {sizes[section]}")
        parts.append(of_topics.get(candidate.id, ""))
        followed = known.follows.get(candidate.id)
        parts.append(why_again(followed) if followed else "not printed before")
        found.append("; ".join(filter(None, parts)))
    return found


def _sources_in_words(state: EventState | None) -> list[str]:
    if state is None:
        return ["not compared with other reports yet"]
    words = "1 source" if state.sources == 1 else f"{state.sources} sources"
    own = state.own_reporting
    if own in (None, state.sources):
        return [words]
    return [f"{words}, {own} of {'its' if own == 1 else 'their'} own reporting"]


def _since(candidate: Candidate, state: EventState | None, *, now: datetime) -> str:
    first_at = state.first_at if state else candidate.published_at
    hours = round((now - first_at).total_seconds() / 3600)
    if hours < 1:
        return "first seen in the last hour"
    return f"first seen {hours} h ago" if hours <= 48 else f"first seen {hours // 24} days ago"


def section_names(newsletter: Newsletter) -> dict[int, str]:
    """Return the names of the newsletter's sections, in its order."""
    return dict(Section.objects.filter(newsletter=newsletter).values_list("pk", "name"))
