"""Tell a page when the next edition comes and what the latest one was."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.db.models import F, Prefetch, Q
from django.utils import timezone

from digest.editions.draft.slots import next_open_slots
from digest.models import Cadence, Edition, EditionItem
from subscribers.models import Newsletter

register = template.Library()


@register.simple_tag
def next_edition(newsletter: Newsletter) -> datetime | None:
    """Return when the newsletter comes next, in its own time zone; None without a schedule."""
    schedules = list(newsletter.schedules.filter(cadence=Cadence.DAILY))
    for schedule in schedules:
        schedule.newsletter = newsletter
    open_slots = next_open_slots(schedules, now=timezone.now()).values()
    instants = [slot.sends_at for slot in open_slots]
    return min(instants).astimezone(newsletter.zone) if instants else None


@register.simple_tag
def latest_edition(newsletter: Newsletter) -> Edition | None:
    """Return the last sent edition with its items, stories and sections; two queries.

    An edition that follows the readers' clocks takes a day to send. It counts as sent while it is
    still going out. An extra edition is left out, because its one story does not show what the
    newsletter is like. An edition that ended while its next revision was being written is left out,
    because it would show content that nobody approved.
    """
    items = EditionItem.objects.select_related("story", "section")
    under_way = Q(status=Edition.Status.SENDING, local_time__isnull=False)
    return (
        Edition.objects.filter(Q(status=Edition.Status.SENT) | under_way)
        .filter(newsletter=newsletter, corrects=None, extra_story=None)
        .filter(cadence=Cadence.DAILY)
        .filter(frozen_pages__content_hash=F("approved_hash"))
        .order_by("-sending_at", "-sent_at")
        .prefetch_related(Prefetch("items", queryset=items))
        .first()
    )
