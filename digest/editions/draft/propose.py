"""Choose what an edition would print if it were drafted at a moment; nothing is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict

from django.db import connection
from django.db.models import QuerySet

from digest.editions.draft import best_of, follow_ups, topic
from digest.editions.draft.features import (
    Known,
    candidates_of,
    event_states,
    reasons,
    section_names,
    weights_of,
)
from digest.editions.draft.passed_over import (
    Sieve,
)
from digest.editions.draft.pool import fresh_since, items_taken, stories_to_print
from digest.events.recent import COMPARED_WITHIN
from digest.models import Cadence, Edition, EditionItem, Story
from digest.ranking.rank import rank, scores
from digest.ranking.select import Candidate
from digest.ranking.terms import Weights
from digest.shorten import truncate
from subscribers.models import Newsletter

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('digest.propose:' || %s, 0))"


@dataclass(frozen=True)
class Proposal:
    """The items that a draft proposes, unsaved, in the order in which the page prints them.

    `left_out` says of stories that are not among them which rule kept them out. `known` is what
    was known of all stories; a weekly edition asks for nothing.
    """

    items: list[EditionItem]
    left_out: dict[int, str] = field(default_factory=dict)
    known: Known | None = None


def propose_as_of(
    edition: Edition,
    *,
    limit: int,
    now: datetime,
    weights: Weights | None = None,
    beside: bool = False,
) -> Proposal:
    """Propose at most `limit` stories, as if the edition were drafted now; nothing is saved.

    `now` may be past: what arrived later, or stands in editions made later, is left out. What
    editors did since then to what was there cannot be told apart. Without `weights` the
    newsletter's own count. With `beside`, the stories are to stand beside those that the edition
    has: neither these nor their events are proposed.
    """
    newsletter = edition.newsletter
    rules = rules_of(newsletter, limit)
    if edition.cadence == Cadence.WEEKLY:
        proposal = Proposal(best_of.propose(edition, now=now, **rules))
    else:
        own = weights_of(newsletter) if weights is None else weights
        taken = items_taken(edition, beside=beside, now=now)
        known, pool = _known(edition, taken, limit=limit, now=now)
        ranked = rank(candidates_of(pool.values(), known), now=now, weights=own, **rules)
        # Beside others, nobody knows which place of its section or topic a story will have.
        told = replace(known, sections={}, topics={}) if beside else known
        items = _items(edition, ranked, pool, told, now=now)
        proposal = Proposal(items, topic.left_out(ranked, known.topics, pool), known)
    items = in_order(proposal.items, newsletter)
    for position, item in enumerate(items):
        item.position = position
    return replace(proposal, items=items)


def take_turns(newsletter_id: int) -> None:
    """Let the newsletter's next draft wait until the end of this transaction.

    Two at once would not see each other's stories, and print one event twice.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [newsletter_id])


class Rules(TypedDict):
    """How many stories there may be, and how many each section must have and may."""

    limit: int
    section_limits: dict[int, int]
    section_minimums: dict[int, int]


def rules_of(newsletter: Newsletter, limit: int) -> Rules:
    sections = list(newsletter.sections.all())
    return {
        "limit": limit,
        "section_limits": {s.pk: s.max_stories for s in sections if s.max_stories is not None},
        "section_minimums": {s.pk: s.min_stories for s in sections if s.min_stories},
    }


def _known(
    edition: Edition, taken: QuerySet[EditionItem], *, limit: int, now: datetime
) -> tuple[Known, dict[int, Story]]:
    """Return what is known of the new stories and follow-ups, and these by their ids."""
    free = stories_to_print(edition, taken, limit=limit, now=now)
    found = follow_ups.find_follow_ups(
        edition.newsletter, taken=taken, since=fresh_since(edition, now), others=free, now=now
    )
    sieve = Sieve(story for story, _ in found)
    follows = {story.pk: item for story, item in found if not sieve.why(story)}
    pool = {story.pk: story for story in free}
    pool |= {story.pk: story for story, _ in found if story.pk in follows}
    known = Known(
        events=event_states(pool.values(), now=now),
        topics=topic.topics_of(pool.values()),
        sections=section_names(edition.newsletter),
        follows=follows,
        printed_clusters=_printed_clusters(taken, now),
    )
    return known, pool


def _items(
    edition: Edition,
    ranked: Sequence[Candidate],
    pool: Mapping[int, Story],
    known: Known,
    *,
    now: datetime,
) -> list[EditionItem]:
    """Return the items, the lead first, each with its terms and its reasons."""
    return [
        EditionItem(
            edition=edition,
            newsletter=edition.newsletter,
            story=pool[candidate.id],
            section_id=candidate.section_id,
            follows=known.follows.get(candidate.id),
            why=truncate(why, 300),
            terms=[term.as_json() for term in candidate.terms],
        )
        for candidate, why in zip(ranked, reasons(ranked, known, now=now), strict=True)
    ]


def _printed_clusters(taken: QuerySet[EditionItem], now: datetime) -> set[int]:
    """Return the clusters of what was printed while what is grouped now arrived."""
    items = taken.filter(edition__drafted_at__gt=now - COMPARED_WITHIN)
    return {pk for pk in items.values_list("story__cluster", flat=True) if pk is not None}


def reasons_together(
    items: Sequence[EditionItem], known: Known | None, *, now: datetime
) -> list[str]:
    """Return why each item is there, beside these others; as it was if nothing is `known`."""
    if known is None:
        return [item.why for item in items]
    stories = [item.story for item in items]
    follows = {item.story_id: item.follows for item in items if item.follows}
    known = replace(known, events=event_states(stories, now=now), follows=follows)
    found = reasons(candidates_of(stories, known), known, now=now)
    return [truncate(why, 300) for why in found]


def worth_of(
    items: Sequence[EditionItem], newsletter: Newsletter, *, now: datetime
) -> dict[int, float]:
    """Return by a story's id the score that its event has now."""
    stories = [item.story for item in items]
    numbers = {story.event for story in stories if story.event is not None}
    reports = Story.objects.filter(event__in=numbers, newsletter=newsletter)
    everything = {story.pk: story for story in reports.select_related("feed")}
    everything |= {story.pk: story for story in stories}
    known = Known(
        events=event_states(everything.values(), now=now),
        topics={},
        sections=section_names(newsletter),
        follows={item.story_id: item.follows for item in items if item.follows},
    )
    weights = weights_of(newsletter)
    return scores(candidates_of(everything.values(), known), now=now, weights=weights)


def in_order(ranked: Sequence[EditionItem], newsletter: Newsletter) -> list[EditionItem]:
    """Return the lead, stories without a section, then each section in the newsletter's order.

    The page prints them in this order (rendering.contents). Within a section the rank decides.
    """
    section_index = {pk: index for index, pk in enumerate(section_names(newsletter))}
    rest = sorted(ranked[1:], key=lambda item: section_index.get(item.section_id or 0, -1))
    return [*ranked[:1], *rest]
