"""Send an edition once more to the readers whom it failed to reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet

from digest.models import Delivery, Edition
from subscribers.models import Suppression

_Status, _Row = Edition.Status, Delivery.Status
_UNDER_WAY = (_Status.SENDING, _Status.SENT)


class NotAgain(Exception):
    """Nothing was changed; the message says why, and what would help."""


class TooLate(NotAgain):
    """The deadline has passed, and nobody gave the edition more time."""


@dataclass(frozen=True)
class Missed:
    """Readers whom the edition did not reach.

    `reasons` counts those who would be written to again, by reason; `suppressed` may not be written
    to any more; of the `uncertain` ones the outcome was lost, and they may have it.
    """

    reasons: dict[str, int]
    suppressed: int
    uncertain: int

    @property
    def failed(self) -> int:
        return sum(self.reasons.values())


@dataclass(frozen=True)
class Again:
    """How many readers are due once more, and how many are left out as suppressed."""

    failed: int
    uncertain: int
    left_out: int


def missed(edition_id: int) -> Missed:
    """Count whom sending again would be for; three queries."""
    failed = _failed(edition_id)
    reasons = dict(
        _writable(failed).order_by().values_list("reason").annotate(count=Count("pk")),
    )
    return Missed(
        reasons=reasons,
        suppressed=failed.count() - sum(reasons.values()),
        uncertain=_writable(_left_uncertain(edition_id)).count(),
    )


def send_failed_again(
    *, edition_id: int, uncertain: bool = False, until: datetime | None = None, now: datetime
) -> Again:
    """Make the failed readers due again; the caller enqueues the lanes.

    `uncertain`: also those whose outcome was lost and who were left at that; some may get a second
    copy, under the same Message-ID. `until` is a new deadline, unless the edition has a later one.

    Raises:
        TooLate: it is past its deadline, and `until` gives it no time.
        NotAgain: it was not sent, or there is nobody to send it to.
    """
    with transaction.atomic():
        edition = Edition.objects.select_for_update(of=("self",)).get(pk=edition_id)
        # Others may still be waiting for it: sending again takes nobody's time away.
        deadline = max(until or edition.deadline_at, edition.deadline_at)
        _insist_on_time(edition, deadline, now)
        left_out = _failed(edition_id).count()
        failed = _due_again(_failed(edition_id), now, status=_Row.PENDING, reason="")
        lost = _due_again(_left_uncertain(edition_id), now) if uncertain else 0
        if not failed + lost:
            raise NotAgain(_nobody(left_out))
        Edition.objects.filter(pk=edition_id, status__in=_UNDER_WAY).update(
            status=_Status.SENDING, deadline_at=deadline
        )
    return Again(failed, lost, left_out - failed)


def _insist_on_time(edition: Edition, until: datetime, now: datetime) -> None:
    if edition.status not in _UNDER_WAY:
        raise NotAgain(f"The edition is {edition.get_status_display()}, not sent.")
    if now < until:
        return
    deadline = edition.deadline_at.astimezone(edition.newsletter.zone)
    raise TooLate(
        f"It was worth sending until {deadline:%H:%M on %-d %B %Y (%Z)}, which is over. "
        "Give it more time to send it all the same."
    )


def _nobody(left_out: int) -> str:
    if left_out:
        return f"Nobody is left to send it to: {left_out:,} failed, and all are suppressed."
    return "Nobody is left to send it to: no delivery of it has failed."


def _failed(edition_id: int) -> QuerySet[Delivery]:
    return Delivery.objects.filter(edition_id=edition_id, status=_Row.FAILED)


def _left_uncertain(edition_id: int) -> QuerySet[Delivery]:
    """Those that no lane takes up by itself any more."""
    return Delivery.objects.filter(
        edition_id=edition_id, status=_Row.UNCERTAIN, finished_at__isnull=False
    )


def _writable(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    suppressed = Suppression.objects.values("email_key")
    return rows.exclude(subscription__subscriber__email_key__in=suppressed)


def _due_again(rows: QuerySet[Delivery], now: datetime, **fields: str) -> int:
    # Whatever their own hour was: it is sent to them now.
    return _writable(rows).update(next_attempt_at=now, due_at=None, finished_at=None, **fields)
