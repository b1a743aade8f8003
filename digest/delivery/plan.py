"""Start an edition's delivery, and close it."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Exists, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from digest.delivery import announce, page
from digest.editions import audience, waves
from digest.editions.approve import content_hash
from digest.editions.stop import hold, skip
from digest.models import Delivery, Edition, Frozen
from digest.rendering.freeze import TooLong, freeze
from digest.rendering.headers import UnsafeHeader
from digest.rendering.slots import BrokenPage
from subscribers.models import IllegalMove

logger = logging.getLogger(__name__)

_Status, _Reason = Edition.Status, Edition.Reason
_Row = Delivery.Status
# To be sent, now or later; the condition of the index delivery_due.
_WAITING = Q(status=_Row.PENDING) | Q(status=_Row.UNCERTAIN, finished_at=None)

# Why readers were left out when an edition ended, and what that is for an edition without any.
_LEFT_OUT = {
    Delivery.Reason.PAST_DEADLINE: _Reason.PAST_DEADLINE,
    Delivery.Reason.ENDED: _Reason.BY_EDITOR,
}

# Seconds in which a lane is sure to look at a reader's status again (outbox.TRUST_SECONDS, and some
# for a busy machine), or to have the message on the wire.
LOOK_AGAIN = 1.0
# Readers of one statement: 0.8 s on two cores, and the first of them can be written to after it.
PAGE = 50_000


class NotStarted(Exception):
    """The edition cannot go out; its row says why, and so does the message."""


def start(*, edition_id: int, now: datetime) -> None:
    """Freeze the approved edition and set it on its way; its readers are planned by `plan_page`.

    What was approved is what is sent: an edition that says something else by now goes back to its
    editors. Starting one that is under way changes nothing.

    Raises:
        NotStarted: it is not approved, was changed since, cannot be rendered, or is too late.
    """
    # Started is sent now, also by who goes on with it after it was held.
    early = Edition.objects.filter(pk=edition_id, status=_Status.APPROVED, sends_at__gt=now)
    early.update(sends_at=now)
    try:
        with transaction.atomic():
            _start(_locked(edition_id), now)
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
        raise _Unfit(_Reason.PAST_DEADLINE, "The edition is past its deadline.")
    try:
        frozen = freeze(edition_id=edition.pk, now=now)
    except (TooLong, UnsafeHeader, BrokenPage) as error:
        raise _Unfit(_Reason.NOT_SENDABLE, str(error)) from error
    except DatabaseError:
        raise
    except Exception as error:
        # A fault of ours, which each tick would meet again, and nobody would be told.
        logger.exception("Edition %s cannot be frozen", edition.pk)
        raise _Unfit(_Reason.NOT_SENDABLE, f"{type(error).__name__}: {error}") from error
    # Once more after freezing, to notice what changed while the page was rendered.
    if {frozen.content_hash, content_hash(edition)} != {edition.approved_hash}:
        raise _Unfit(_Reason.CHANGED, "The edition was changed after it was approved.")
    readers = audience.reached(edition, now=now).count()
    if unusual := audience.guard(edition, readers):
        raise _Unfit(_Reason.AUDIENCE, unusual)
    Edition.objects.filter(pk=edition.pk, status=_Status.APPROVED).update(
        status=_Status.SENDING,
        sending_at=edition.sending_at or now,
        audience=readers,
        # From the first reader again, for the sake of those who confirmed since.
        planned_to=0,
        planned_at=None,
        **_course(edition, now),
    )


def _course(edition: Edition, now: datetime) -> dict[str, datetime]:
    """When the last wave is, by the readers that there are, and so until when it is of use.

    Until now it was when the last zone on earth would have it.
    """
    before = edition.last_wave_at
    if before is None:
        return {}
    turns = waves.turns(edition, audience.readers(edition), now=now)
    last = waves.last_turn(turns, now=now)
    if edition.sending_at:
        # It went on after a stop: those of the later waves may be planned, and gone since.
        last = max(last, before)
    # An end that an editor has set before the last wave stays where it is.
    deadline = edition.deadline_at + (last - before) * (edition.deadline_at > before)
    return {"last_wave_at": last, "deadline_at": deadline}


def plan_page(*, edition_id: int, now: datetime) -> bool:
    """Add a row for each of the next readers; True while there may be more of them.

    One page a transaction: lanes send the first while the others are planned, and a planner that
    dies is taken up where it stopped. Two at once take turns.
    """
    with transaction.atomic():
        edition = _locked(edition_id)
        if edition.status != _Status.SENDING or edition.planned_at:
            return False
        readers = audience.readers(edition).filter(pk__gt=edition.planned_to).order_by("pk")
        last, found = page.add(edition, readers[:PAGE], now=now)
        is_last = found < PAGE
        Edition.objects.filter(pk=edition_id).update(
            planned_to=last or edition.planned_to, planned_at=now if is_last else None
        )
    return not is_last


def plan_audience(*, edition_id: int, now: datetime) -> None:
    """Add a row for each reader of the edition who has none."""
    while plan_page(edition_id=edition_id, now=now):
        pass


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

    The claim would do so too; this shows it at once. What a lane holds, the lane looks at again
    before it goes on the wire, and this waits for it: whoever is told that they left gets nothing
    that was not on its way before.
    """
    waiting = Delivery.objects.filter(_WAITING, subscription_id=subscription_id)
    dropped = waiting.update(
        status=_Row.SKIPPED, reason=Delivery.Reason.UNSUBSCRIBED, finished_at=now
    )
    until = time.monotonic() + LOOK_AGAIN
    held = Delivery.objects.filter(subscription_id=subscription_id, status=_Row.SENDING)
    while held.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return dropped


# --- Closing --------------------------------------------------------------------------------------


def is_open(edition_id: int) -> bool:
    """Whether something may still happen to a row; by delivery_due and delivery_on_the_wire.

    One statement, so one snapshot: between two, a row on the wire may come back to wait, and the
    edition would be closed before its reader.
    """
    rows = Delivery.objects.filter(edition_id=edition_id).order_by()
    waits, flies = Exists(rows.filter(_WAITING)), Exists(rows.filter(status=_Row.SENDING))
    return Edition.objects.filter(waits | flies, pk=edition_id).exists()


def due_sendings(*, now: datetime) -> list[int]:
    """Ids of the editions under way that a lane could do something for."""
    due = Delivery.objects.filter(_WAITING, next_attempt_at__lte=now)
    sending = Edition.objects.filter(status=_Status.SENDING, deadline_at__gt=now)
    return [
        pk
        for pk in sending.order_by("pk").values_list("pk", flat=True)
        if due.filter(edition_id=pk).exists() or not is_open(pk)
    ]


def next_due(edition_id: int) -> datetime | None:
    """When the next of the edition's readers may be written to; by the index delivery_due."""
    waiting = Delivery.objects.filter(_WAITING, edition_id=edition_id)
    return waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()


def next_in_turn(edition_id: int, *, now: datetime) -> int:
    """The edition that a connection goes on with: each that is due in turn, by id."""
    due = due_sendings(now=now)
    return next((pk for pk in due if pk > edition_id), due[0] if due else edition_id)


def half_planned() -> list[int]:
    """Ids of the editions under way whose planner stopped half-way."""
    sending = Edition.objects.filter(status=_Status.SENDING, planned_at=None)
    return list(sending.values_list("pk", flat=True))


def finish_if_done(*, edition_id: int, now: datetime) -> bool:
    """Close the edition if no row is open; True if this call did it.

    Sent, or skipped where it ended before a single message was out.
    """
    with transaction.atomic():
        edition = _locked(edition_id)
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
