"""Start an edition's delivery, and close it."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from digest.editions import audience
from digest.editions.approve import content_hash
from digest.editions.stop import hold, skip
from digest.models import Delivery, Edition
from digest.rendering.freeze import TooLong, freeze
from digest.rendering.headers import UnsafeHeader
from digest.rendering.slots import BrokenPage
from subscribers.models import IllegalMove

_Status, _Reason = Edition.Status, Edition.Reason
_Row = Delivery.Status

# Every active reader, in id order; planning again adds those who confirmed since. A correction's
# are those who got an older revision of what it corrects (editions.audience.readers, in SQL).
_PLAN = """
    INSERT INTO digest_delivery (edition_id, subscription_id, status, reason, attempts,
                                 next_attempt_at, lane, reply, relay, revision)
    SELECT %(edition)s, s.id, 'pending', '', 0, %(now)s, '', '', '', 0
      FROM subscribers_subscription s
     WHERE s.newsletter_id = %(newsletter)s AND s.status = 'active'
       AND (%(corrects)s::bigint IS NULL OR s.id IN (
            SELECT d.subscription_id
              FROM digest_delivery d JOIN digest_edition c ON c.id = d.edition_id
             WHERE c.id = %(corrects)s AND d.status IN ('sent', 'uncertain')
               AND d.revision < c.revision))
     ORDER BY s.id
        ON CONFLICT (edition_id, subscription_id) DO NOTHING
"""


class NotStarted(Exception):
    """The edition cannot go out; its row says why, and so does the message."""


def start(*, edition_id: int, now: datetime) -> int:
    """Freeze the approved edition, plan a row for each reader, and return how many were added.

    What was approved is what is sent: an edition that says something else by now goes back to its
    editors. Starting one that is under way changes nothing and adds nobody.

    Raises:
        NotStarted: it is not approved, was changed since, cannot be rendered, or is too late.
    """
    try:
        with transaction.atomic():
            return _start(_locked(edition_id), now)
    except _Unfit as unfit:
        _give_back(edition_id, unfit, now)
        raise NotStarted(str(unfit)) from unfit


class _Unfit(Exception):
    """Approved, and yet not to be sent; `reason` is one of Edition.Reason."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def _locked(edition_id: int) -> Edition:
    """The edition, while no editor can change it and no other beat can start it."""
    editions = Edition.objects.select_for_update(of=("self",)).select_related("newsletter")
    return editions.get(pk=edition_id)


def _start(edition: Edition, now: datetime) -> int:
    if edition.status == _Status.SENDING:
        return 0
    if edition.status != _Status.APPROVED:
        raise NotStarted(f"The edition is {edition.get_status_display()}, not approved.")
    if now >= edition.deadline_at:
        raise _Unfit(_Reason.PAST_DEADLINE, "The edition is past its deadline.")
    try:
        frozen = freeze(edition_id=edition.pk, now=now)
    except (TooLong, UnsafeHeader, BrokenPage) as error:
        raise _Unfit(_Reason.NOT_SENDABLE, str(error)) from error
    # Once more after freezing, to notice what changed while the page was rendered.
    if {frozen.content_hash, content_hash(edition)} != {edition.approved_hash}:
        raise _Unfit(_Reason.CHANGED, "The edition was changed after it was approved.")
    readers = audience.readers(edition).count()
    if unusual := audience.guard(edition, readers):
        raise _Unfit(_Reason.AUDIENCE, unusual)
    Edition.objects.filter(pk=edition.pk, status=_Status.APPROVED).update(
        status=_Status.SENDING, sending_at=edition.sending_at or now, audience=readers
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAN,
            {
                "edition": edition.pk,
                "newsletter": edition.newsletter_id,
                "corrects": edition.corrects_id,
                "now": now,
            },
        )
        return int(cursor.rowcount)


def _give_back(edition_id: int, unfit: _Unfit, now: datetime) -> None:
    """To the editors, who are told; or for good where it is too late."""
    approved = [_Status.APPROVED]
    try:
        if unfit.reason == _Reason.PAST_DEADLINE:
            skip(edition_id=edition_id, reason=unfit.reason, from_status=approved)
        else:
            hold(
                edition_id=edition_id,
                reason=unfit.reason,
                detail=str(unfit),
                now=now,
                from_status=approved,
            )
    except IllegalMove:
        return  # an editor was faster


def hold_sending(*, edition_id: int, reason: str, detail: str, now: datetime) -> None:
    """Stop a delivery that cannot go on; approving the edition again takes it up."""
    try:
        hold(
            edition_id=edition_id,
            reason=reason,
            detail=detail,
            now=now,
            from_status=[_Status.SENDING],
        )
    except IllegalMove:
        return  # another lane was faster


def drop_reader(*, subscription_id: int, now: datetime) -> int:
    """Skip what was planned for a reader who left; return how many editions that were.

    The claim would do so too; this shows it at once. What a lane holds, the lane looks at again.
    """
    waiting = Delivery.objects.filter(subscription_id=subscription_id).filter(
        Q(status=_Row.PENDING) | Q(status=_Row.UNCERTAIN, finished_at=None)
    )
    return waiting.update(status=_Row.SKIPPED, reason=Delivery.Reason.UNSUBSCRIBED, finished_at=now)


# --- Closing --------------------------------------------------------------------------------------


def open_rows(edition_id: int) -> QuerySet[Delivery]:
    """Rows that something may still happen to; served by the index delivery_open."""
    return Delivery.objects.filter(edition_id=edition_id).filter(
        Q(status__in=[_Row.PENDING, _Row.SENDING]) | Q(status=_Row.UNCERTAIN, finished_at=None)
    )


def due_sendings(*, now: datetime) -> list[int]:
    """Ids of the editions under way that a lane could do something for."""
    due = Delivery.objects.filter(next_attempt_at__lte=now).filter(
        Q(status=_Row.PENDING) | Q(status=_Row.UNCERTAIN, finished_at=None)
    )
    sending = Edition.objects.filter(status=_Status.SENDING, deadline_at__gt=now)
    return [
        pk
        for pk in sending.values_list("pk", flat=True)
        if due.filter(edition_id=pk).exists() or not open_rows(pk).exists()
    ]


def finish_if_done(*, edition_id: int, now: datetime) -> bool:
    """Close the edition if no row is open; True if this call did it.

    Sent, or skipped where the deadline came before a single message was out.
    """
    with transaction.atomic():
        edition = _locked(edition_id)
        if edition.status != _Status.SENDING or open_rows(edition_id).exists():
            return False
        rows = Delivery.objects.filter(edition_id=edition_id)
        late = rows.filter(status=_Row.SKIPPED, reason=Delivery.Reason.PAST_DEADLINE)
        if late.exists() and not rows.filter(status__in=[_Row.SENT, _Row.UNCERTAIN]).exists():
            skip(
                edition_id=edition_id,
                reason=_Reason.PAST_DEADLINE,
                detail="Not one message had gone out by the deadline.",
                from_status=[_Status.SENDING],
            )
            return True
        return bool(
            Edition.objects.filter(pk=edition_id, status=_Status.SENDING).update(
                status=_Status.SENT, sent_at=edition.sent_at or now
            )
        )


def close_late(*, now: datetime) -> list[int]:
    """Skip the readers whom an edition did not reach by its deadline; return the editions' ids."""
    late = Edition.objects.filter(
        deadline_at__lte=now,
        sending_at__isnull=False,
        status__in=[_Status.SENDING, _Status.HELD, _Status.APPROVED],
    )
    ids = list(late.values_list("pk", flat=True))
    for edition_id in ids:
        _close_late(edition_id, now)
    return ids


def _close_late(edition_id: int, now: datetime) -> None:
    rows = Delivery.objects.filter(edition_id=edition_id)
    rows.filter(status=_Row.PENDING).update(
        status=_Row.SKIPPED, reason=Delivery.Reason.PAST_DEADLINE, finished_at=now
    )
    # They may have arrived: that stays said, and they are not sent again.
    rows.filter(status=_Row.UNCERTAIN, finished_at=None).update(finished_at=now)
    # One that was held in mid-send ends as what its readers make it.
    Edition.objects.filter(pk=edition_id, status__in=[_Status.HELD, _Status.APPROVED]).update(
        status=_Status.SENDING, reason="", reason_detail="", notice_due_at=None
    )
    finish_if_done(edition_id=edition_id, now=now)
