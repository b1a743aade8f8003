"""Close an edition when nothing more can happen to a reader's row."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, QuerySet, Subquery
from django.db.models.functions import Coalesce

from digest.delivery.planning import announce
from digest.delivery.planning.start import WAITING, lock_edition, plan_audience
from digest.editions.decide.stop import skip
from digest.models import Delivery, Edition, EditionLogEntry, Frozen

_Status, _Reason = Edition.Status, Edition.Reason
_Row = Delivery.Status

# The reason of readers who were skipped when an edition ended, and the reason that the edition gets
# if none of its readers was reached.
_EDITION_REASONS = {
    Delivery.Reason.PAST_DEADLINE: _Reason.PAST_DEADLINE,
    Delivery.Reason.ENDED: _Reason.BY_EDITOR,
}


def has_open_rows(edition_id: int) -> bool:
    """Whether something may still happen to a row of the edition.

    The query uses the indexes delivery_due and delivery_on_the_wire. It is one statement, so that
    it sees one snapshot. Between two statements a row on the wire could return to waiting, and the
    edition would be closed before that reader got it.
    """
    rows = Delivery.objects.filter(edition_id=edition_id).order_by()
    waiting, on_wire = Exists(rows.filter(WAITING)), Exists(rows.filter(status=_Row.SENDING))
    return Edition.objects.filter(waiting | on_wire, pk=edition_id).exists()


def finish_if_done(*, edition_id: int, now: datetime) -> bool:
    """Close the edition if no row is open; return True if this call did it.

    It becomes sent, or skipped if it ended before a single message was sent.
    """
    with transaction.atomic():
        edition = lock_edition(edition_id)
        if edition.status != _Status.SENDING or not edition.planned_at or has_open_rows(edition_id):
            return False
        rows = Delivery.objects.filter(edition_id=edition_id)
        if reason := _reason_if_nobody_was_reached(rows):
            skip(
                edition_id=edition_id,
                reason=reason,
                detail="No message had gone out by then.",
                from_status=[_Status.SENDING],
                now=now,
            )
            return True
        done = Edition.objects.filter(pk=edition_id, status=_Status.SENDING).update(
            status=_Status.SENT, sent_at=edition.sent_at or now
        )
        # Announced once, although an operator may send the edition again to failed readers.
        if done and edition.sent_at is None:
            announce.edition_sent(edition_id=edition_id, now=now)
        if done:
            edition.log.create(at=now, actor=EditionLogEntry.AUTOPILOT, words="Sending ended")
        return bool(done)


def _reason_if_nobody_was_reached(rows: QuerySet[Delivery]) -> str:
    if rows.filter(status__in=[_Row.SENT, _Row.UNCERTAIN]).exists():
        return ""
    skipped = rows.filter(status=_Row.SKIPPED, reason__in=_EDITION_REASONS).order_by()
    found = skipped.values_list("reason", flat=True).first()
    return str(_EDITION_REASONS[Delivery.Reason(found)]) if found else ""


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
    """The edition is not one that was stopped in mid-send."""


def end_stopped(*, edition_id: int, now: datetime) -> None:
    """End an edition that was stopped in mid-send: the readers who are left do not get it.

    Raises:
        NotStopped: The edition is being sent, is over, or never began.
    """
    stopped = Edition.objects.filter(
        pk=edition_id, sending_at__isnull=False, status__in=[_Status.HELD, _Status.APPROVED]
    )
    if not stopped.exists():
        raise NotStopped
    _close(edition_id, Delivery.Reason.ENDED, now)


def _close(edition_id: int, reason: str, now: datetime) -> None:
    # An edition that was held in mid-send ends as sent or skipped, as its readers' rows say. It
    # keeps the newest revision that was frozen: copy that was approved or drafted since is not sent
    # to anybody any more.
    newest = Frozen.objects.filter(edition=edition_id).order_by("-revision")
    Edition.objects.filter(pk=edition_id, status__in=[_Status.HELD, _Status.APPROVED]).update(
        status=_Status.SENDING,
        reason="",
        reason_detail="",
        notice_due_at=None,
        revision=Coalesce(Subquery(newest.values("revision")[:1]), "revision"),
    )
    # Readers who were never planned get a row, so that they are shown as skipped too.
    plan_audience(edition_id=edition_id, now=now)
    rows = Delivery.objects.filter(edition_id=edition_id)
    with transaction.atomic():
        left_out = rows.filter(status=_Row.PENDING).update(
            status=_Row.SKIPPED, reason=reason, finished_at=now
        )
        if left_out and reason == Delivery.Reason.PAST_DEADLINE:
            EditionLogEntry.objects.create(
                edition_id=edition_id,
                at=now,
                actor=EditionLogEntry.AUTOPILOT,
                words=f"Cut short at its deadline: {left_out:,} reader{'s'[: left_out != 1]} "
                "did not get it",
            )
    # These messages may have arrived: the rows stay uncertain, and are not sent again.
    rows.filter(status=_Row.UNCERTAIN, finished_at=None).update(finished_at=now)
    finish_if_done(edition_id=edition_id, now=now)
    not_reached = rows.filter(status=_Row.SKIPPED, reason=Delivery.Reason.PAST_DEADLINE)
    if reason == Delivery.Reason.PAST_DEADLINE and not_reached.exists():
        Edition.objects.filter(pk=edition_id).update(notice_due_at=now)
