"""Take fresher stories into a draft that nobody has touched, until shortly before it goes out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from digest.editions.draft.draft import proposed_items
from digest.editions.draft.inbox_lines import write_inbox_lines
from digest.editions.draft.passed_over import why_not_proposed
from digest.editions.draft.slots import AD_HOC_STORIES
from digest.models import Edition, EditionItem, EditionLogEntry, Story
from digest.rendering.content_hash import content_hash
from digest.shorten import truncate

# How often a draft is looked at, and how long before the send time it is left as it is: whoever
# looks at it in the last minutes should see what goes out.
REFRESH_EVERY = timedelta(minutes=5)
LEFT_ALONE_FOR = timedelta(minutes=10)
# A feed's stories have the time at which its fetch began, and are there when it has ended.
_FETCH_TIME = timedelta(minutes=5)
_TITLE = 120


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
    before = list(edition.items.select_related("story__feed"))
    after = _proposed_anew(edition, now)
    steps = list(_steps(before, after, now))
    if steps:
        _replace(edition, before, after)
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
    """Whether stories have arrived since then, or one of its own may not be printed any more."""
    arrived = Story.objects.filter(newsletter=edition.newsletter_id, added_at__gt=since)
    dropped = edition.items.filter(Q(story__is_hidden=True) | Q(story__link_died_at__isnull=False))
    return arrived.exists() or dropped.exists()


def _proposed_anew(edition: Edition, now: datetime) -> list[EditionItem]:
    """Return what the draft would be if it were made now."""
    limit = edition.schedule.max_stories if edition.schedule else AD_HOC_STORIES
    savepoint = transaction.savepoint()
    # For a moment its stories are free, as they were when it was drafted.
    edition.items.update(released=True)
    items = proposed_items(edition, limit=limit, now=now)
    transaction.savepoint_rollback(savepoint)
    return items


def _steps(
    before: Sequence[EditionItem], after: Sequence[EditionItem], now: datetime
) -> Iterator[str]:
    """Yield in words what changes from one to the other; nothing if only the order does."""
    kept = _ids(before) & _ids(after)
    gone = sorted(
        (item for item in before if item.story_id not in kept),
        key=lambda item: not why_not_proposed(item.story, now=now),
    )
    new = [item for item in after if item.story_id not in kept]
    for old, fresh in zip_longest(gone, new):
        reason = why_not_proposed(old.story, now=now) if old else ""
        if old and fresh and reason:
            yield f"Taken: {_named(fresh)} in the place of {_quoted(old)} ({reason})"
        elif old and fresh:
            yield f"Taken: {_named(fresh)} instead of {_quoted(old)}"
        elif fresh:
            yield f"Taken: {_named(fresh)}"
        else:
            yield f"Dropped: {_quoted(old)} ({reason or 'it would not be proposed any more'})"
    leads = {item.story_id for item in (*before[:1], *after[:1])}
    if len(leads) == 2 and leads <= kept:
        yield f"Put first: {_named(after[0])}"


def _replace(edition: Edition, before: Sequence[EditionItem], after: Sequence[EditionItem]) -> None:
    """Make these the edition's items; those whose story stays keep their row."""
    rows = {item.story_id: item.pk for item in before}
    edition.items.exclude(story__in=_ids(after)).delete()
    stay = [item for item in after if item.story_id in rows]
    for item in stay:
        item.pk = rows[item.story_id]
    fields = [field.name for field in EditionItem._meta.concrete_fields if not field.primary_key]
    EditionItem.objects.bulk_update(stay, fields)
    new = [item for item in after if item.story_id not in rows]
    # Another schedule's draft of the same minute may have taken one of these stories.
    EditionItem.objects.bulk_create(new, ignore_conflicts=True)


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
