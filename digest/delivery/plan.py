"""Start an edition's delivery, and plan its readers."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import Q

from digest.delivery import page
from digest.editions import audience, waves
from digest.editions.approve import content_hash
from digest.editions.stop import hold, skip
from digest.models import Delivery, Edition
from digest.rendering.freeze import TooLong, freeze
from digest.rendering.headers import UnsafeHeader
from digest.rendering.slots import BrokenPage
from subscribers.models import IllegalMove

logger = logging.getLogger(__name__)

_Status, _Reason = Edition.Status, Edition.Reason
_Row = Delivery.Status
# To be sent, now or later; the condition of the index delivery_due.
WAITING = Q(status=_Row.PENDING) | Q(status=_Row.UNCERTAIN, finished_at=None)

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
            _start(locked(edition_id), now)
    except _Unfit as unfit:
        _give_back(edition_id, unfit, now)
        raise NotStarted(str(unfit)) from unfit


class _Unfit(Exception):
    """Approved, and yet not to be sent; `reason` is one of Edition.Reason."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def locked(edition_id: int) -> Edition:
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
        edition = locked(edition_id)
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


def half_planned() -> list[int]:
    """Ids of the editions under way whose planner stopped half-way."""
    sending = Edition.objects.filter(status=_Status.SENDING, planned_at=None)
    return list(sending.values_list("pk", flat=True))


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
    waiting = Delivery.objects.filter(WAITING, subscription_id=subscription_id)
    dropped = waiting.update(
        status=_Row.SKIPPED, reason=Delivery.Reason.UNSUBSCRIBED, finished_at=now
    )
    until = time.monotonic() + LOOK_AGAIN
    held = Delivery.objects.filter(subscription_id=subscription_id, status=_Row.SENDING)
    while held.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return dropped
