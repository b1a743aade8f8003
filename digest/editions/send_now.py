"""Send an edition at once rather than at its time, or take up one that was skipped."""

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
    """Make now the send time of the edition, approving it first if nobody has.

    Without `at_once` it is approved as it was seen, and goes out at its time.

    `seen` is the seal (curate.seal) of what the editor had before their eyes, and `readers` the
    number that they said yes to. By the readers' clocks each still gets it at their own hour,
    unless it goes `to_everybody` at once.

    Raises:
        NotApprovable: it has changed since, has blocking problems, is past its deadline, or nobody
            said yes to an unusual number of readers.
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
    """As if it had been the newsroom's clock from the beginning; too late once it is on its way."""
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
        The stories that a later edition has printed meanwhile; they are left out.

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
