"""Make a skipped edition a draft again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from digest.editions.decide.remind import plan_reminder
from digest.editions.edit.curate import printed_items
from digest.models import Cadence, Edition, Story

_Status = Edition.Status


class CannotReopen(Exception):
    """The edition stays skipped; the message says why."""


class TooLateToReopen(CannotReopen):
    """The skipped edition's deadline has passed, so it would only be skipped again."""


@transaction.atomic
def reopen(*, edition_id: int, now: datetime) -> list[Story]:
    """Make a skipped edition a draft again, with those of its stories that are still free.

    Returns:
        The stories that another edition has printed since; they are left out.

    Raises:
        TooLateToReopen: its deadline has passed.
        CannotReopen: its story has another extra edition by now.
    """
    edition = Edition.objects.select_for_update(of=("self",)).get(pk=edition_id)
    if now >= edition.deadline_at:
        raise TooLateToReopen("Its deadline has passed. Make a new edition instead.")
    others = Edition.objects.exclude(status=_Status.SKIPPED).exclude(pk=edition_id)
    if edition.is_extra and others.filter(extra_story=edition.extra_story_id).exists():
        raise CannotReopen("Its story has another extra edition by now.")
    moved = Edition.objects.filter(pk=edition_id, status=_Status.SKIPPED).update(
        status=_Status.DRAFT, reason="", reason_detail=""
    )
    if not moved:
        return []
    plan_reminder(edition, now=now)
    elsewhere = printed_items(edition).exclude(edition=edition)
    taken = edition.items.filter(story__in=elsewhere.values("story"))
    if edition.cadence == Cadence.DAILY:
        taken = taken.filter(again=False)
    stories = [item.story for item in taken.select_related("story")]
    taken.delete()
    edition.items.update(released=False)
    return stories
