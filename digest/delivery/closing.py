"""Close an edition when nothing more can happen to a reader's row."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, QuerySet, Subquery
from django.db.models.functions import Coalesce

from digest.delivery import announce
from digest.delivery.plan import WAITING, locked, plan_audience
from digest.editions.stop import skip
from digest.models import Delivery, Edition, Frozen

_Status, _Reason = Edition.Status, Edition.Reason
_Row = Delivery.Status

# Why readers were left out when an edition ended, and what that is for an edition without any.
_LEFT_OUT = {
    Delivery.Reason.PAST_DEADLINE: _Reason.PAST_DEADLINE,
    Delivery.Reason.ENDED: _Reason.BY_EDITOR,
}


def is_open(edition_id: int) -> bool:
    """Whether something may still happen to a row; by delivery_due and delivery_on_the_wire.

    One statement, so one snapshot: between two, a row on the wire may come back to wait, and the
    edition would be closed before its reader.
    """
    rows = Delivery.objects.filter(edition_id=edition_id).order_by()
    waits, flies = Exists(rows.filter(WAITING)), Exists(rows.filter(status=_Row.SENDING))
    return Edition.objects.filter(waits | flies, pk=edition_id).exists()


def finish_if_done(*, edition_id: int, now: datetime) -> bool:
    """Close the edition if no row is open; True if this call did it.

    Sent, or skipped where it ended before a single message was out.
    """
    with transaction.atomic():
        edition = locked(edition_id)
        if edition.status != _Status.SENDING or not edition.planned_at or is_open(edition_id):
            return False
        rows = Delivery.objects.filter(edition_id=edition_id)
        if reason := _ended_before_anybody_got_it(rows):
            skip(
                edition_id=edition_id,
                reason=reason,
                detail="Not one message had gone out by then.",
                from_status=[_Status.SENDING],
            )
            return True
        done = Edition.objects.filter(pk=edition_id, status=_Status.SENDING).update(
            status=_Status.SENT, sent_at=edition.sent_at or now
        )
        # Once, though an operator may have the failed ones sent again.
        if done and edition.sent_at is None:
            announce.sent(edition_id=edition_id, now=now)
        return bool(done)


def _ended_before_anybody_got_it(rows: QuerySet[Delivery]) -> str:
    if rows.filter(status__in=[_Row.SENT, _Row.UNCERTAIN]).exists():
        return ""
    left = rows.filter(status=_Row.SKIPPED, reason__in=_LEFT_OUT).order_by()
    found = left.values_list("reason", flat=True).first()
    return str(_LEFT_OUT[Delivery.Reason(found)]) if found else ""


def close_late(*, now: datetime) -> list[int]:
    """Skip the readers whom an edition did not reach by its deadline; return the editions' ids."""
    late = Edition.objects.filter(
        deadline_at__lte=now,
        sending_at__isnull=False,
        status__in=[_Status.SENDING, _Status.HELD, _Status.APPROVED],
    )
    ids = list(late.values_list("pk", flat=True))
    for edition_id in ids:
        _close(edition_id, Delivery.Reason.PAST_DEADLINE, now)
    return ids


class NotStopped(Exception):
    """It is not an edition that was stopped in mid-send."""


def end_stopped(*, edition_id: int, now: datetime) -> None:
    """End an edition that was stopped in mid-send: the readers who are left do not get it.

    Raises:
        NotStopped: it goes on, is over, or never began.
    """
    stopped = Edition.objects.filter(
        pk=edition_id, sending_at__isnull=False, status__in=[_Status.HELD, _Status.APPROVED]
    )
    if not stopped.exists():
        raise NotStopped
    _close(edition_id, Delivery.Reason.ENDED, now)


def _close(edition_id: int, reason: str, now: datetime) -> None:
    # One that was held in mid-send ends as what its readers make it, and in the words that some of
    # them have: those that were approved since, or half-written, go nowhere any more.
    newest = Frozen.objects.filter(edition=edition_id).order_by("-revision")
    Edition.objects.filter(pk=edition_id, status__in=[_Status.HELD, _Status.APPROVED]).update(
        status=_Status.SENDING,
        reason="",
        reason_detail="",
        notice_due_at=None,
        revision=Coalesce(Subquery(newest.values("revision")[:1]), "revision"),
    )
    # Who was never planned is shown as skipped too.
    plan_audience(edition_id=edition_id, now=now)
    rows = Delivery.objects.filter(edition_id=edition_id)
    rows.filter(status=_Row.PENDING).update(status=_Row.SKIPPED, reason=reason, finished_at=now)
    # They may have arrived: that stays said, and they are not sent again.
    rows.filter(status=_Row.UNCERTAIN, finished_at=None).update(finished_at=now)
    finish_if_done(edition_id=edition_id, now=now)
