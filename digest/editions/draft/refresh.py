"""Take fresher stories into a draft that nobody has touched, until shortly before it goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from digest.editions.draft.exchange import Bounds, Exchange, Rated, exchange
from digest.editions.draft.features import Known
from digest.editions.draft.inbox_lines import write_inbox_lines
from digest.editions.draft.passed_over import Sieve, why_not_printable, why_not_proposed
from digest.editions.draft.propose import (
    Proposal,
    in_order,
    propose_as_of,
    reasons_together,
    rules_of,
    take_turns,
    worth_of,
)
from digest.editions.draft.slots import AD_HOC_STORIES
from digest.models import Cadence, Edition, EditionItem, EditionLogEntry, Story
from digest.ranking.select import MOST_FOLLOW_UPS, PER_SOURCE, PER_TOPIC
from digest.rendering.content_hash import content_hash
from digest.shorten import truncate

# How often a draft is looked at, and how long before the send time it is left as it is: whoever
# looks at it in the last minutes should see what goes out.
REFRESH_EVERY = timedelta(minutes=5)
LEFT_ALONE_FOR = timedelta(minutes=10)
# A feed's stories have the time at which its fetch began, and are there when it has ended.
_FETCH_TIME = timedelta(minutes=5)
_TITLE = 120
_MOST = {"source": PER_SOURCE, "topic": PER_TOPIC, "follow-up": MOST_FOLLOW_UPS}


def due_refreshes(*, now: datetime) -> list[int]:
    """Return the ids of the drafts that are due to be looked at."""
    return list(_due(now).order_by("sends_at", "pk").values_list("pk", flat=True))


def is_refreshed(edition: Edition, *, now: datetime) -> bool:
    """Whether the autopilot still takes fresher stories into it by itself."""
    is_open = edition.status == Edition.Status.DRAFT and edition.sends_at > now + LEFT_ALONE_FOR
    by_schedule = edition.schedule_id is not None and edition.corrects_id is None
    return is_open and by_schedule and _is_untouched(edition)


@transaction.atomic
def refresh(*, edition_id: int, now: datetime) -> int:
    """Propose an untouched draft again if there is anything new; return how many steps it took.

    Safe to run twice and in parallel: the row is locked, and a draft is looked at once in some
    minutes. What an editor has changed stays as it is. The subject and the preheader follow the
    stories, and each step is in the edition's log.
    """
    edition = (
        _due(now)
        .filter(pk=edition_id)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("newsletter", "schedule__newsletter")
        .first()
    )
    if edition is None:
        return 0
    since = (edition.refreshed_at or edition.drafted_at) - _FETCH_TIME
    Edition.objects.filter(pk=edition_id).update(refreshed_at=now)
    if not _is_untouched(edition) or not _has_news(edition, since):
        return 0
    take_turns(edition.newsletter_id)
    before = list(edition.items.select_related("story__feed", "follows__edition"))
    proposal = propose_as_of(edition, limit=_limit(edition), now=now)
    after = proposal.items
    change = _exchange(edition, before, proposal, now)
    items = {item.story_id: item for item in (*after, *before)}
    ordered = in_order([items[pk] for pk in change.order], edition.newsletter)
    whys = reasons_together(ordered, proposal.known, now=now)
    for item, why in zip(ordered, whys, strict=True):
        item.why = why
    steps = list(_steps(change, items))
    if steps:
        _replace(edition, ordered)
        steps += _new_lines(edition)
        EditionLogEntry.objects.bulk_create(
            EditionLogEntry(
                edition=edition, at=now, actor=EditionLogEntry.AUTOPILOT, words=words[:500]
            )
            for words in steps
        )
    return len(steps)


def _due(now: datetime) -> QuerySet[Edition]:
    return (
        Edition.objects.filter(
            status=Edition.Status.DRAFT,
            corrects=None,
            sending_at=None,
            schedule__isnull=False,
            sends_at__gt=now + LEFT_ALONE_FOR,
        )
        .exclude(proposed_hash="")
        .alias(looked_at=Coalesce("refreshed_at", "drafted_at"))
        .filter(looked_at__lte=now - REFRESH_EVERY)
    )


def _is_untouched(edition: Edition) -> bool:
    return bool(edition.proposed_hash) and content_hash(edition) == edition.proposed_hash


def _has_news(edition: Edition, since: datetime) -> bool:
    """Whether stories have arrived since then, or one of its own may not be printed any more.

    It may not if it is gone, nor if another edition has brought its event to the readers.
    """
    arrived = Story.objects.filter(newsletter=edition.newsletter_id, added_at__gt=since)
    dropped = edition.items.filter(Q(story__is_hidden=True) | Q(story__link_died_at__isnull=False))
    return arrived.exists() or dropped.exists() or _others_sent(edition, since).exists()


def _limit(edition: Edition) -> int:
    return edition.schedule.max_stories if edition.schedule else AD_HOC_STORIES


def _exchange(
    edition: Edition, before: Sequence[EditionItem], proposal: Proposal, now: datetime
) -> Exchange:
    after = proposal.items
    worth = worth_of([*before, *after], edition.newsletter, now=now)
    sieve = Sieve(item.story for item in before)
    sent = _sent_since(edition, before)
    proposed = _ids(after)
    # Two of its stories may have turned out to report one event.
    events = {item.story.event for item in before if item.story_id in proposed} - {None}

    def place(item: EditionItem) -> Rated:
        story = item.story
        lost = ""
        if story.pk in sent:
            lost = "readers have it already"
        elif story.pk not in proposed and edition.cadence == Cadence.WEEKLY:
            # The best of a week may be older than what a daily edition takes.
            lost = why_not_printable(story)
        elif story.pk not in proposed:
            lost = why_not_proposed(story, sieve, now=now)
        if not lost and story.pk not in proposed and story.event in events:
            lost = "another one reports the same"
        labels = _labels(item, proposal.known)
        return Rated(story.pk, story.event, item.section_id, worth[story.pk], lost, labels)

    rules = rules_of(edition.newsletter, _limit(edition))
    proposed_labels = Counter(label for item in after for label in _labels(item, proposal.known))
    return exchange(
        [place(item) for item in before],
        [place(item) for item in after],
        Bounds(
            **rules,
            # The proposal has more where nothing else is there.
            label_limits={
                label: max(count, _MOST[label.partition(" ")[0]])
                for label, count in proposed_labels.items()
            },
        ),
    )


def _labels(item: EditionItem, known: Known | None) -> frozenset[str]:
    """Return what a draft has only so many of; a weekly edition has no such rules."""
    if known is None:
        return frozenset()
    topic = known.topics.get(item.story_id)
    found = {
        f"source {item.story.outlet}" if item.story.outlet else "",
        f"topic {topic.name}" if topic else "",
        "follow-up" if item.is_follow_up else "",
    }
    return frozenset(found - {""})


def _sent_since(edition: Edition, items: Sequence[EditionItem]) -> set[int]:
    """Return the ids of the stories whose event another edition has brought since the draft.

    That is breaking news, or an edition whose report turned out to be of the same event. A weekly
    edition repeats what daily ones brought.
    """
    if edition.cadence == Cadence.WEEKLY:
        return set()
    others = EditionItem.objects.filter(
        edition__in=_others_sent(edition, edition.drafted_at), released=False
    )
    brought = list(others.values_list("story", "story__event"))
    stories = {story for story, _ in brought}
    events = {event for _, event in brought} - {None}
    return {
        item.story_id for item in items if item.story_id in stories or item.story.event in events
    }


def _others_sent(edition: Edition, since: datetime) -> QuerySet[Edition]:
    others = Edition.objects.filter(newsletter=edition.newsletter_id, sending_at__gt=since)
    return others.filter(cadence=Cadence.DAILY, corrects=None).exclude(pk=edition.pk)


def _steps(change: Exchange, items: Mapping[int, EditionItem]) -> Iterator[str]:
    """Yield in words what changes; nothing if only the order behind the lead does."""
    for fresh, old in change.taken:
        taken = f"Taken: {_named(items[fresh.story_id])}"
        if old is None:
            yield taken
        elif old.lost:
            yield f"{taken} in the place of {_quoted(items[old.story_id])} ({old.lost})"
        else:
            yield f"{taken} instead of {_quoted(items[old.story_id])}"
    for lost in change.dropped:
        yield f"Dropped: {_quoted(items[lost.story_id])} ({lost.lost})"
    if change.has_new_lead:
        yield f"Put first: {_quoted(items[change.order[0]])}"


def _replace(edition: Edition, items: Sequence[EditionItem]) -> None:
    """Make these the edition's items; those that stay keep their row, and an open page with it."""
    edition.items.exclude(story__in=_ids(items)).delete()
    for position, item in enumerate(items):
        item.position = position
    EditionItem.objects.bulk_update([item for item in items if item.pk], ["position", "why"])
    # An editor may have put one of these stories into another edition at this moment.
    EditionItem.objects.bulk_create([item for item in items if not item.pk], ignore_conflicts=True)


def _new_lines(edition: Edition) -> list[str]:
    """Write subject and preheader anew, and what was proposed; return what to say of it."""
    items = list(edition.items.select_related("story"))
    subject = edition.subject
    write_inbox_lines(edition, [item.shown_headline for item in items])
    edition.proposed_stories = sorted(_ids(items))
    edition.proposed_hash = content_hash(edition)
    edition.save(update_fields=["subject", "preheader", "proposed_stories", "proposed_hash"])
    return [] if edition.subject == subject else [f"Subject: “{edition.subject}”"]


def _ids(items: Iterable[EditionItem]) -> set[int]:
    return {item.story_id for item in items}


def _named(item: EditionItem) -> str:
    return f"{_quoted(item)} ({item.why})" if item.why else _quoted(item)


def _quoted(item: EditionItem) -> str:
    return f"“{truncate(item.shown_headline, _TITLE)}”"
