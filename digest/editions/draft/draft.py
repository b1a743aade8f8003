"""Propose an edition for a slot: its stories, their order, its subject and preheader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TypedDict

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

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
    FRESH_FOR,
    LATE_FOR,
    Sieve,
    short_sections,
    why_so_few,
)
from digest.editions.draft.slots import plan_for
from digest.editions.draft.subject import propose_preheader, propose_subject
from digest.models import Cadence, Edition, EditionItem, EditionLogEntry, Schedule, Story
from digest.ranking.rank import rank
from digest.ranking.terms import Weights
from digest.rendering.content_hash import content_hash
from digest.shorten import truncate
from subscribers.models import Newsletter

# The ranking chooses from this many recent stories at most; more would only cost time.
MAX_CANDIDATES = 500


@dataclass(frozen=True)
class Proposal:
    """The items that a draft proposes, unsaved, in the order in which the page prints them.

    `left_out` says of stories that are not among them which rule kept them out.
    """

    items: list[EditionItem]
    left_out: dict[int, str] = field(default_factory=dict)


class DayIsOver(Exception):
    """Nothing can be sent on that date any more, so nothing is drafted for it."""


def draft_edition(
    *,
    newsletter: Newsletter,
    date: date | None = None,
    schedule: Schedule | None = None,
    cadence: str = Cadence.DAILY,
    now: datetime,
) -> Edition:
    """Return the edition of a slot; make and fill it if there is none.

    Without `schedule`, the newsletter's schedule of that cadence is taken that has a slot on
    `date`, or without `date` the next slot. If there is no such schedule, the edition is an ad hoc
    one of that date.

    A schedule that sends what nobody approved sends this, as long as nobody changes it. But if it
    is drafted without `schedule`, so by hand, when its send time has passed already, it waits for
    an approval: nobody would have the time to look at it.

    Raises:
        DayIsOver: the date is past and has no edition, or it is beyond the calendar's end.
    """
    try:
        plan = plan_for(newsletter, date, schedule, now, cadence=cadence)
    except OverflowError:
        raise DayIsOver(f"{date} is not a day that an edition can have.") from None
    slot = {
        "newsletter": newsletter,
        "schedule": plan.schedule,
        "slot_date": plan.slot_date,
        "corrects": None,
    }
    cadence = plan.schedule.cadence if plan.schedule else cadence
    # Without a schedule, a date may have one edition of each cadence. A schedule's slot has one
    # edition, whatever its cadence was when it was made.
    by_hand = {} if plan.schedule else {"cadence": cadence}
    # All in one transaction: nobody sees an edition without its stories. Of two calls that race,
    # the second waits at the unique constraint for the first and returns its edition.
    with transaction.atomic():
        edition, created = Edition.objects.get_or_create(
            **slot, **by_hand, defaults={"cadence": cadence, "drafted_at": now, **plan.times}
        )
        if created:
            if plan.deadline_at <= now:
                raise DayIsOver(f"{plan.slot_date:%-d %B %Y} is over; choose a later date.")
            _fill(edition, limit=plan.max_stories, now=now)
            if schedule or plan.sends_at > now:
                edition.proposed_hash = content_hash(edition)
                edition.save(update_fields=["proposed_hash"])
    return edition


def _fill(edition: Edition, *, limit: int, now: datetime) -> None:
    newsletter = edition.newsletter
    proposal = propose_as_of(edition, limit=limit, now=now)
    # Another schedule's draft of the same minute may have taken one of these stories.
    EditionItem.objects.bulk_create(proposal.items, ignore_conflicts=True)
    taken = dict(edition.items.values_list("story_id", "section_id"))
    headlines = [item.shown_headline for item in proposal.items if item.story_id in taken]
    edition.subject = propose_subject(headlines, fallback=newsletter.name)
    edition.preheader = propose_preheader(headlines, fallback=newsletter.promise)
    edition.save(update_fields=["subject", "preheader"])
    wanted = edition.schedule.min_stories if edition.schedule else 1
    entries = [short_sections(list(newsletter.sections.all()), taken.values())]
    if edition.cadence == Cadence.DAILY and len(taken) < wanted:
        entries.insert(
            0,
            why_so_few(
                newsletter,
                proposed=taken,
                left_out=proposal.left_out,
                wanted=wanted,
                since=_since(edition, now),
                now=now,
            ),
        )
    for words in filter(None, entries):
        edition.log.create(at=now, actor=EditionLogEntry.AUTOPILOT, words=words)


def propose_as_of(
    edition: Edition, *, limit: int, now: datetime, weights: Weights | None = None
) -> Proposal:
    """Propose at most `limit` stories.

    `now` may be past: what arrived later, or stands in editions made later, is left out. What
    editors did since then to what was there cannot be told apart. Without `weights` the
    newsletter's own count.
    """
    newsletter = edition.newsletter
    rules = _rules_of(newsletter, limit)
    if edition.cadence == Cadence.WEEKLY:
        proposal = Proposal(best_of.propose(edition, now=now, **rules))
    else:
        own = weights_of(newsletter) if weights is None else weights
        proposal = _propose_new(edition, rules, now=now, weights=own)
    items = _in_order(proposal.items, newsletter)
    for position, item in enumerate(items):
        item.position = position
    return replace(proposal, items=items)


class _Rules(TypedDict):
    """How many stories there may be, and how many each section must have and may."""

    limit: int
    section_limits: dict[int, int]
    section_minimums: dict[int, int]


def _rules_of(newsletter: Newsletter, limit: int) -> _Rules:
    sections = list(newsletter.sections.all())
    return {
        "limit": limit,
        "section_limits": {s.pk: s.max_stories for s in sections if s.max_stories is not None},
        "section_minimums": {s.pk: s.min_stories for s in sections if s.min_stories},
    }


def _propose_new(edition: Edition, rules: _Rules, *, now: datetime, weights: Weights) -> Proposal:
    """Propose new stories, the lead first, each with its reasons."""
    newsletter = edition.newsletter
    since = _since(edition, now)
    free = _pool(edition, limit=rules["limit"], since=since, now=now)
    found = follow_ups.find_follow_ups(edition, since=since, others=free, now=now)
    sieve = Sieve(story for story, _ in found)
    follows = {story.pk: item for story, item in found if not sieve.why(story)}
    pool = {story.pk: story for story in free}
    pool |= {story.pk: story for story, _ in found if story.pk in follows}
    known = Known(
        events=event_states(pool.values(), now=now),
        topics=topic.topics_of(pool.values()),
        sections=section_names(newsletter),
        follows=follows,
    )
    ranked = rank(candidates_of(pool.values(), known), now=now, weights=weights, **rules)
    items = [
        EditionItem(
            edition=edition,
            newsletter=newsletter,
            story=pool[candidate.id],
            section_id=candidate.section_id,
            follows=follows.get(candidate.id),
            why=truncate(why, 300),
            terms=[term.as_json() for term in candidate.terms],
        )
        for candidate, why in zip(ranked, reasons(ranked, known, now=now), strict=True)
    ]
    return Proposal(items, topic.left_out(ranked, known.topics, pool))


def _pool(edition: Edition, *, limit: int, since: datetime, now: datetime) -> list[Story]:
    """Return what the edition may print: fresh stories and, if they are too few, late ones.

    A feed that was added today, or that publishes once a week, brings stories of the last days.
    They follow behind the fresh ones, since the ranking goes by age.
    """
    free = _free_stories(edition, now=now)
    is_fresh = Q(published_at__gte=since) | Q(published_at=None, added_at__gte=since)
    # What an editor has asked for is as new as the wish.
    is_fresh |= Q(wanted_at__gte=since)
    fresh = _news(free.filter(is_fresh))
    if len(fresh) >= (edition.schedule.min_stories if edition.schedule else limit):
        return fresh
    is_late = Q(added_at__gte=since, published_at__gte=now - LATE_FOR)
    return _news(free.filter(is_fresh | is_late))


def _news(stories: QuerySet[Story]) -> list[Story]:
    candidates = list(stories[:MAX_CANDIDATES])
    sieve = Sieve(candidates)
    return [story for story in candidates if not sieve.why(story)]


def _since(edition: Edition, now: datetime) -> datetime:
    """Return when the previous edition was drafted, but no less than 24 and at most 48 hours ago.

    At least 24 hours, because a story that one edition had no room for may still lead the next.
    """
    previous = (
        Edition.objects.filter(newsletter=edition.newsletter_id, drafted_at__lt=edition.drafted_at)
        .filter(cadence=Cadence.DAILY)
        .exclude(pk=edition.pk)
        .exclude(status=Edition.Status.SKIPPED)
        .exclude(corrects__isnull=False)
        .order_by("-drafted_at")
        .values_list("drafted_at", flat=True)
        .first()
    )
    last = previous or now - FRESH_FOR
    return max(now - FRESH_FOR, min(last, now - timedelta(hours=24)))


def _free_stories(edition: Edition, *, now: datetime) -> QuerySet[Story]:
    """Return the stories that no edition held at `now`, nor printed their event, newest first.

    Without a date, a story is as new as its arrival. What its feed held already when it was added
    is left to the editors, since it may be years old.
    """
    newsletter = edition.newsletter_id
    earlier = EditionItem.objects.filter(
        newsletter=newsletter, edition__drafted_at__lte=now, released=False
    ).exclude(edition=edition)
    held = earlier.filter(story=OuterRef("pk"), again=False)
    printed = earlier.filter(story__event=OuterRef("event"))
    return (
        Story.objects.filter(
            ~Exists(held),
            ~Exists(printed),
            newsletter=newsletter,
            is_hidden=False,
            added_at__lte=now,
        )
        .exclude(published_at=None, is_backlog=True, wanted_at=None)
        .select_related("feed")
        .order_by(Greatest(Coalesce("published_at", "added_at"), "wanted_at").desc(), "-pk")
    )


def _in_order(ranked: Sequence[EditionItem], newsletter: Newsletter) -> list[EditionItem]:
    """Return the lead, stories without a section, then each section in the newsletter's order.

    The page prints them in this order (rendering.contents). Within a section the rank decides.
    """
    section_index = {pk: index for index, pk in enumerate(section_names(newsletter))}
    rest = sorted(ranked[1:], key=lambda item: section_index.get(item.section_id or 0, -1))
    return [*ranked[:1], *rest]
