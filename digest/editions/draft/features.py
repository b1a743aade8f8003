"""Tell the ranking what is known of the stories, and an editor why it chose one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.events.summary import Summary, summaries_of
from digest.models import RankingWeights, Story
from digest.models.ranking_weights import WEIGHT_NAMES
from digest.ranking.select import Candidate
from digest.ranking.terms import VELOCITY_HOURS, Features, Weights
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


def event_states(stories: Iterable[Story], *, now: datetime) -> dict[int, EventState]:
    """Return the state, at `now`, of each event of which one of the stories is a report.

    Which stories report it is taken as it is known today.
    """
    stories = list(stories)
    summaries = summaries_of(stories)
    began = _began(stories, now=now)
    return {
        number: _state(firsts, summaries[number], now=now)
        for number, firsts in began.items()
        if number in summaries
    }


def _began(stories: Iterable[Story], *, now: datetime) -> dict[int, dict[str, datetime]]:
    """Return when each outlet began to report each event, by what had arrived at `now`."""
    numbers = {story.event for story in stories if story.event is not None}
    reports = (
        Story.objects.filter(event__in=numbers, added_at__lte=now)
        .select_related("feed")
        .only("event", "source_name", "published_at", "added_at", "feed__source_name",
              "feed__title")
    )  # fmt: skip
    began: defaultdict[int, dict[str, datetime]] = defaultdict(dict)
    for story in reports:
        if story.event is not None:
            firsts, outlet = began[story.event], story.outlet
            firsts[outlet] = min(firsts.get(outlet, story.dated_at), story.dated_at)
    return began


def _state(firsts: Mapping[str, datetime], summary: Summary, *, now: datetime) -> EventState:
    since = now - timedelta(hours=VELOCITY_HOURS)
    _, *others = sorted(firsts.values())
    own: int | None = getattr(summary, "own_reporting", None)
    # The summary counts today's outlets. No more can have been independent than there were.
    return EventState(
        sources=min(summary.sources, len(firsts)),
        own_reporting=None if own is None else min(own, len(firsts)),
        joined=sum(at > since for at in others),
        first_at=min(firsts.values()),
    )


def candidates_of(
    stories: Iterable[Story], states: Mapping[int, EventState], *, has_sections: bool
) -> list[Candidate]:
    """Return what the ranking chooses from; a newsletter without sections fits none."""
    return [
        _candidate(story, states.get(story.event or 0), has_sections=has_sections)
        for story in stories
    ]


def _candidate(story: Story, state: EventState | None, *, has_sections: bool) -> Candidate:
    return Candidate(
        id=story.pk,
        source=story.outlet,
        section_id=story.section_id,
        published_at=story.dated_at,
        weight=story.feed.weight if story.feed else BY_HAND_WEIGHT,
        has_image=hero_of(story) is not None,
        event=story.event,
        sources=state.independent if state else None,
        features=Features(
            joined=state.joined if state else None,
            position=story.feed_position,
            section_fit=float(story.section_id is not None) if has_sections else None,
            boost=story.boost,
        ),
    )


def reasons(
    chosen: Sequence[Candidate],
    states: Mapping[int, EventState],
    *,
    section_names: Mapping[int, str],
    now: datetime,
) -> list[str]:
    """Return for each story, in the order of its rank, why it was chosen, in words."""
    sizes = Counter(candidate.section_id for candidate in chosen)
    places: Counter[int | None] = Counter()
    found = []
    for candidate in chosen:
        section = candidate.section_id
        places[section] += 1
        state = states.get(candidate.event or 0)
        parts = [*_sources_in_words(state), _since(candidate, state, now=now)]
        if section is not None and section in section_names:
            parts.append(f"{section_names[section]} {places[section]} of {sizes[section]}")
        parts.append("a follow-up" if candidate.is_follow_up else "not printed before")
        found.append("; ".join(parts))
    return found


def _sources_in_words(state: EventState | None) -> list[str]:
    if state is None:
        return ["not compared with other reports yet"]
    words = "1 source" if state.sources == 1 else f"{state.sources} sources"
    own = state.own_reporting
    if own is None or state.sources == 1:
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
