"""Start an edition's delivery, and plan its readers batch by batch."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Q

from digest.delivery.planning import insert
from digest.editions.decide import audience, waves
from digest.editions.decide.stop import NOT_STARTED, hold, skip
from digest.models import Delivery, Edition, EditionLogEntry
from digest.rendering.content_hash import content_hash
from digest.rendering.freeze import PageTooLong, freeze
from digest.rendering.headers import UnsafeHeader
from digest.rendering.placeholders import BrokenPage
from subscribers.models import IllegalMove

logger = logging.getLogger(__name__)

_Status, _Reason = Edition.Status, Edition.Reason
_Row = Delivery.Status
# Rows that are to be sent, now or later. This is the condition of the index delivery_due.
WAITING = Q(status=_Row.PENDING) | Q(status=_Row.UNCERTAIN, finished_at=None)

# Seconds after which a lane has certainly checked a reader's status again, or has the message on
# the wire. This is `outbox.TRUST_SECONDS`, with a margin for a busy machine.
RECHECK_SECONDS = 1.0
# How many readers one statement plans. It takes 0.8 s on two cores, and lanes can then send to the
# first of them.
BATCH_SIZE = 50_000


class NotStarted(Exception):
    """The edition cannot go out; its row and the exception's message say why."""


def start_delivery(*, edition_id: int, now: datetime) -> None:
    """Freeze the approved edition and begin to send it; `plan_batch` plans its readers.

    What was approved is what is sent: an edition that was changed since then goes back to its
    editors. If the edition is already being sent, nothing changes.

    Raises:
        NotStarted: The edition is not approved, was changed since, cannot be rendered, is past its
            deadline, or has an unusual audience.
    """
    # An edition that is started before its time is sent now, also when it resumes after a hold.
    early = Edition.objects.filter(pk=edition_id, status=_Status.APPROVED, sends_at__gt=now)
    early.update(sends_at=now)
    try:
        with transaction.atomic():
            _start(lock_edition(edition_id), now)
    except _CannotSend as error:
        _hold_or_skip(edition_id, error, now)
        raise NotStarted(str(error)) from error


class _CannotSend(Exception):
    """The edition is approved but must not be sent; `reason` is one of Edition.Reason."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def lock_edition(edition_id: int) -> Edition:
    """Return the edition with its row locked: no editor can change it, and no tick can start it."""
    editions = Edition.objects.select_for_update(of=("self",)).select_related(
        "newsletter", "schedule__newsletter", "corrects"
    )
    return editions.get(pk=edition_id)


def _start(edition: Edition, now: datetime) -> None:
    if edition.status == _Status.SENDING:
        return
    if edition.status != _Status.APPROVED:
        raise NotStarted(f"The edition is {edition.get_status_display()}, not approved.")
    if now >= edition.deadline_at:
        raise _CannotSend(_Reason.PAST_DEADLINE, "The edition is past its deadline.")
    try:
        frozen = freeze(edition_id=edition.pk, now=now)
    except (PageTooLong, UnsafeHeader, BrokenPage) as error:
        raise _CannotSend(_Reason.NOT_SENDABLE, str(error)) from error
    except DatabaseError:
        raise
    except Exception as error:
        # A fault in Daybreak: without a hold each tick would meet it again, and no editor would
        # hear of it.
        logger.exception("Edition %s cannot be frozen", edition.pk)
        raise _CannotSend(_Reason.NOT_SENDABLE, f"{type(error).__name__}: {error}") from error
    # The hash is computed again after freezing, to notice a change while the page was rendered.
    if {frozen.content_hash, content_hash(edition)} != {edition.approved_hash}:
        raise _CannotSend(_Reason.CHANGED, "The edition was changed after it was approved.")
    readers = audience.count_readers(edition, now=now)
    if unusual := audience.unusual_warning(edition, readers):
        raise _CannotSend(_Reason.AUDIENCE, unusual)
    Edition.objects.filter(pk=edition.pk, status=_Status.APPROVED).update(
        status=_Status.SENDING,
        sending_at=edition.sending_at or now,
        audience=readers,
        # Planning begins at the first reader again, to include those who confirmed since.
        planned_to=0,
        planned_at=None,
        **_last_wave_and_deadline(edition, now),
    )
    edition.log.create(
        at=now,
        actor=EditionLogEntry.AUTOPILOT,
        words=f"Sending {'went on' if edition.sending_at else 'began'}, "
        f"for {readers:,} reader{'s'[: readers != 1]}",
    )


def _last_wave_and_deadline(edition: Edition, now: datetime) -> dict[str, datetime]:
    """Return the time of the last wave by the edition's actual readers, and the new deadline.

    Before the start `last_wave_at` is the time in the last time zone on earth.
    """
    before = edition.last_wave_at
    if before is None:
        return {}
    groups = waves.reader_groups(edition, audience.readers(edition), now=now)
    last = waves.last_send_time(groups, now=now)
    if edition.sending_at:
        # The edition resumes after a stop. Readers of later waves may be planned already, and may
        # have unsubscribed since.
        last = max(last, before)
    # A deadline that an editor has set before the last wave stays where it is.
    deadline = edition.deadline_at + (last - before) * (edition.deadline_at > before)
    return {"last_wave_at": last, "deadline_at": deadline}


def plan_batch(*, edition_id: int, now: datetime) -> bool:
    """Add a row for each reader of the next batch; return True while there may be more readers.

    Each batch is a transaction of its own. Lanes send the first batch while the others are planned,
    and another planner continues after a dead one. Two planners at the same time take turns.
    """
    with transaction.atomic():
        edition = lock_edition(edition_id)
        if edition.status != _Status.SENDING or edition.planned_at:
            return False
        readers = audience.readers(edition).filter(pk__gt=edition.planned_to).order_by("pk")
        last, found = insert.delivery_rows(edition, readers[:BATCH_SIZE], now=now)
        is_last = found < BATCH_SIZE
        Edition.objects.filter(pk=edition_id).update(
            planned_to=last or edition.planned_to, planned_at=now if is_last else None
        )
    return not is_last


def plan_audience(*, edition_id: int, now: datetime) -> None:
    """Add a row for each reader of the edition who has none."""
    while plan_batch(edition_id=edition_id, now=now):
        pass


def half_planned() -> list[int]:
    """Return the ids of the sending editions that are not fully planned."""
    sending = Edition.objects.filter(status=_Status.SENDING, planned_at=None)
    return list(sending.values_list("pk", flat=True))


def _hold_or_skip(edition_id: int, error: _CannotSend, now: datetime) -> None:
    """Hold the edition, which notifies its editors; skip it if it is past its deadline."""
    approved = [_Status.APPROVED]
    try:
        if error.reason == _Reason.PAST_DEADLINE:
            skip(
                edition_id=edition_id,
                reason=error.reason,
                detail=NOT_STARTED,
                notice=now,
                from_status=approved,
                now=now,
            )
        else:
            hold(
                edition_id=edition_id,
                reason=error.reason,
                detail=str(error),
                now=now,
                from_status=approved,
            )
    except IllegalMove:
        return  # an editor was faster


def hold_sending(*, edition_id: int, reason: str, detail: str, now: datetime) -> None:
    """Stop a delivery that cannot continue; it resumes when the edition is approved again."""
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
    """Skip the waiting rows of a reader who unsubscribed; return how many editions these were.

    The claim would skip them too, but here the ledger shows it immediately. A lane checks the
    status of a row that it holds once more before the message goes on the wire. This function waits
    for that check: after it returns, no message to the reader is begun.
    """
    waiting = Delivery.objects.filter(WAITING, subscription_id=subscription_id)
    dropped = waiting.update(
        status=_Row.SKIPPED, reason=Delivery.Reason.UNSUBSCRIBED, finished_at=now
    )
    until = time.monotonic() + RECHECK_SECONDS
    on_wire = Delivery.objects.filter(subscription_id=subscription_id, status=_Row.SENDING)
    while on_wire.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return dropped
