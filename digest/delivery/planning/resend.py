"""Send an edition again to the readers whom it failed to reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet

from digest.delivery.planning.start import WAITING
from digest.editions.decide import extra_cap
from digest.models import Delivery, Edition
from subscribers.models import Suppression

_Status, _Row = Edition.Status, Delivery.Status
_UNDER_WAY = (_Status.SENDING, _Status.SENT)


class CannotResend(Exception):
    """The edition cannot be sent again, and nothing was changed.

    The message says why, and what would help.
    """


class ResendTooLate(CannotResend):
    """The deadline has passed, and the caller gave the edition no more time."""


@dataclass(frozen=True)
class Undelivered:
    """Readers whom the edition did not reach.

    `reasons` counts by reason the failed readers who can get it again. `suppressed` counts failed
    readers who must not get mail any more. `uncertain` counts readers whose outcome was lost: they
    may have the edition.
    """

    reasons: dict[str, int]
    suppressed: int
    uncertain: int

    @property
    def failed(self) -> int:
        return sum(self.reasons.values())


@dataclass(frozen=True)
class ResendResult:
    """How many readers are due again, and how many are left out because they are suppressed."""

    failed: int
    uncertain: int
    left_out: int


def undelivered(edition_id: int) -> Undelivered:
    """Count the readers to whom the edition could be sent again; takes three queries."""
    failed = _failed(edition_id)
    counts = _not_suppressed(failed).order_by().values_list("reason").annotate(count=Count("pk"))
    reasons = dict(counts)
    return Undelivered(
        reasons=reasons,
        suppressed=failed.count() - sum(reasons.values()),
        uncertain=_not_suppressed(_finally_uncertain(edition_id)).count(),
    )


def resend_failed(
    *,
    edition_id: int,
    include_uncertain: bool = False,
    new_deadline: datetime | None = None,
    actor: str = "",
    now: datetime,
) -> ResendResult:
    """Make the failed readers due again; the caller enqueues the lanes.

    With `include_uncertain`, readers whose outcome stays unknown become due too. Some of them
    may get a second copy, under the same Message-ID. `new_deadline` has no effect if the edition's
    own deadline is later. Without `actor` it is not in the edition's log, but in the admin's.

    Raises:
        ResendTooLate: The edition is past its deadline, and `new_deadline` gives it no time.
        CannotResend: The edition was not sent, or there is nobody to send it to.
    """
    with transaction.atomic():
        edition = Edition.objects.select_for_update(of=("self",)).get(pk=edition_id)
        # Other readers may still be waiting for it, so the deadline is never made earlier.
        deadline = max(new_deadline or edition.deadline_at, edition.deadline_at)
        _require_time(edition, deadline, now)
        left_out = _failed(edition_id).count()
        failed = _make_due(_failed(edition_id), now, status=_Row.PENDING, reason="")
        uncertain = _make_due(_finally_uncertain(edition_id), now) if include_uncertain else 0
        if not failed + uncertain:
            raise CannotResend(_nobody_left(left_out))
        if edition.is_extra and _leave_out_at_cap(edition, now) == failed + uncertain:
            raise CannotResend("All of them have had enough extra editions today.")
        Edition.objects.filter(pk=edition_id, status__in=_UNDER_WAY).update(
            status=_Status.SENDING, deadline_at=deadline
        )
        if actor:
            count = failed + uncertain
            words = f"Sent again to {count:,} reader{'s'[: count != 1]}"
            edition.log.create(at=now, actor=actor, words=words)
    return ResendResult(failed, uncertain, left_out - failed)


def _require_time(edition: Edition, new_deadline: datetime, now: datetime) -> None:
    if edition.status not in _UNDER_WAY:
        raise CannotResend(f"The edition is {edition.get_status_display()}, not sent.")
    if now < new_deadline:
        return
    deadline = edition.deadline_at.astimezone(edition.newsletter.zone)
    raise ResendTooLate(
        f"Its deadline, {deadline:%H:%M on %-d %B %Y (%Z)}, has passed. "
        "Give it more time to send it anyway."
    )


def _nobody_left(left_out: int) -> str:
    if left_out:
        return f"Nobody is left to send it to: {left_out:,} failed, and all are suppressed."
    return "Nobody is left to send it to: no delivery of it has failed."


def _failed(edition_id: int) -> QuerySet[Delivery]:
    return Delivery.objects.filter(edition_id=edition_id, status=_Row.FAILED)


def _finally_uncertain(edition_id: int) -> QuerySet[Delivery]:
    """Return the uncertain rows that no lane will send again by itself."""
    return Delivery.objects.filter(
        edition_id=edition_id, status=_Row.UNCERTAIN, finished_at__isnull=False
    )


def _leave_out_at_cap(edition: Edition, now: datetime) -> int:
    """Skip waiting readers of an extra edition who have had enough since it failed to reach them.

    Returns how many.
    """
    extra_cap.lock()
    at_cap = extra_cap.is_at_cap(edition, subscriber="subscription__subscriber", now=now)
    waiting = Delivery.objects.filter(WAITING, at_cap, edition=edition)
    return waiting.update(status=_Row.SKIPPED, reason=Delivery.Reason.EXTRA_CAP, finished_at=now)


def _not_suppressed(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    suppressed = Suppression.objects.values("email_key")
    return rows.exclude(subscription__subscriber__email_key__in=suppressed)


def _make_due(rows: QuerySet[Delivery], now: datetime, **fields: str) -> int:
    # The readers get it now, whatever their own hour was.
    due = _not_suppressed(rows)
    return due.update(next_attempt_at=now, due_at=None, finished_at=None, **fields)
