"""Send an edition immediately instead of at its time, or reopen a skipped one."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from digest.editions.approve import NotApprovable, approve, unusual_audience
from digest.editions.audience import accept_audience
from digest.editions.curate import printed_items, seal
from digest.editions.preflight import Problem
from digest.editions.waves import lateness
from digest.models import Cadence, Edition, Story

_Status = Edition.Status


def bring_forward(
    *,
    edition_id: int,
    seen: str,
    readers: int | None = None,
    to_everybody: bool = False,
    user: AbstractBaseUser | None = None,
    at_once: bool = True,
    now: datetime,
) -> Edition:
    """Approve the edition as the editor saw it, if nobody has, and make now its send time.

    Without `at_once` it keeps its send time. `seen` is the fingerprint (curate.seal) of what the
    editor saw, and `readers` is the number of readers that they accepted. If the edition follows
    the readers' clocks, each reader still gets it at their own hour, unless it goes `to_everybody`
    immediately.

    Raises:
        NotApprovable: it has changed since, has blocking problems, is past its deadline, or nobody
            accepted an unusual number of readers.
    """
    with transaction.atomic():
        edition = Edition.objects.select_for_update(of=("self",)).get(pk=edition_id)
        if seen != seal(edition):
            problem = "It was changed while you were asked. Look at it again, then send it."
            raise NotApprovable([Problem("changed", problem)])
        if readers is not None:
            accept_audience(edition_id=edition_id, user=user, count=readers)
            edition.refresh_from_db()
        if at_once and (unusual := unusual_audience(edition, now)):
            raise NotApprovable(unusual)
        if edition.status != _Status.APPROVED:
            approve(edition_id=edition_id, user=user, now=now)
        elif now >= edition.deadline_at:
            raise NotApprovable([Problem("past-deadline", "The edition is past its deadline.")])
        if at_once:
            Edition.objects.filter(pk=edition_id, sends_at__gt=now).update(sends_at=now)
        if to_everybody:
            _forget_clocks(edition, now)
    edition.refresh_from_db()
    return edition


def _forget_clocks(edition: Edition, now: datetime) -> None:
    """Make the edition follow the newsroom's clock; nothing changes once sending has started."""
    by_readers = Edition.objects.filter(
        pk=edition.pk, local_time__isnull=False, sending_at__isnull=True
    )
    deadline = min(edition.deadline_at, now + lateness(edition))
    by_readers.update(local_time=None, last_wave_at=None, deadline_at=deadline)


class TooLate(Exception):
    """The skipped edition's deadline has passed, so it would only be skipped again."""


@transaction.atomic
def take_up_again(*, edition_id: int, now: datetime) -> list[Story]:
    """Make a skipped edition a draft again, with those of its stories that are still free.

    Returns:
        The stories that another edition has printed since; they are left out.

    Raises:
        TooLate: its deadline has passed.
    """
    edition = Edition.objects.select_for_update(of=("self",)).get(pk=edition_id)
    if now >= edition.deadline_at:
        raise TooLate("Its deadline has passed. Make a new edition instead.")
    moved = Edition.objects.filter(pk=edition_id, status=_Status.SKIPPED).update(
        status=_Status.DRAFT, reason="", reason_detail=""
    )
    if not moved:
        return []
    elsewhere = printed_items(edition).exclude(edition=edition)
    taken = edition.items.filter(story__in=elsewhere.values("story"))
    if edition.cadence == Cadence.DAILY:
        taken = taken.filter(again=False)
    stories = [item.story for item in taken.select_related("story")]
    taken.delete()
    edition.items.update(released=False)
    return stories
