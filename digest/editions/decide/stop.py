"""Stop an edition, for now (held) or permanently (skipped), and say why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from digest.models import Delivery, Edition, EditionItem, EditionLogEntry
from subscribers.models import IllegalMove

_Status = Edition.Status
# The states that `skip` and `hold` move from by default. An edition that is being sent is stopped
# only by its delivery or by `stop_sending`.
_UNSENT = frozenset({_Status.DRAFT, _Status.HELD, _Status.APPROVED})
# What became of an approved edition that its deadline overtook.
NOT_STARTED = "It was approved, but not started in time. No reader got it."


def skip(
    *,
    edition_id: int,
    reason: str,
    detail: str = "",
    notice: datetime | None = None,
    from_status: Collection[str] = _UNSENT,
    actor: str = EditionLogEntry.AUTOPILOT,
    now: datetime,
) -> None:
    """Skip the edition and release its stories, so that a later one can print them.

    `notice` is when the editors are told by mail (decide.notify), None if they need not be: it was
    one of them who skipped it. Without `actor` it is not in the edition's log, but in the admin's.

    Raises:
        IllegalMove: it is being sent, or was sent or skipped before.
    """
    # An edition stopped in mid-send has readers: their rows decide how it ends (planning.finish).
    not_stopped = Q(sending_at=None) | Q(status=_Status.SENDING)
    with transaction.atomic():
        _move(
            edition_id, from_status, not_stopped, to=_Status.SKIPPED, reason=reason, detail=detail,
            notice=notice, actor=actor, now=now,
        )  # fmt: skip
        # If readers have seen a part-sent edition, its stories stay printed.
        seen = Delivery.objects.filter(edition_id=edition_id, status__in=["sent", "uncertain"])
        if not seen.exists():
            EditionItem.objects.filter(edition_id=edition_id).update(released=True)


def hold(
    *,
    edition_id: int,
    reason: str,
    detail: str = "",
    now: datetime,
    from_status: Collection[str] = _UNSENT,
) -> None:
    """Hold the edition for the editors, who are told by mail (decide.notify).

    Raises:
        IllegalMove: it is in none of `from_status`.
    """
    _move(
        edition_id, from_status, to=_Status.HELD, reason=reason, detail=detail, notice=now,
        actor=EditionLogEntry.AUTOPILOT, now=now,
    )  # fmt: skip


class NotSending(Exception):
    """There is nothing to stop; the message says what the edition's status is."""


def stop_sending(*, edition_id: int, detail: str = "", actor: str = "", now: datetime) -> None:
    """Hold an edition that is being sent: after one window at most, no lane sends any more of it.

    An approved edition whose send time has come is held too, because the workers are about to
    begin. The editors are told once, as for any held edition. The deadline does not move: once it
    passes, the readers who are left get nothing. Without `actor` it is not in the edition's log,
    but in the admin's.

    Raises:
        NotSending: it is not being sent.
    """
    stoppable = Q(status=_Status.SENDING) | Q(status=_Status.APPROVED, sends_at__lte=now)
    try:
        _move(
            edition_id,
            [_Status.SENDING, _Status.APPROVED],
            stoppable,
            to=_Status.HELD,
            reason=Edition.Reason.STOPPED,
            detail=detail,
            notice=now,
            actor=actor,
            now=now,
        )
    except IllegalMove as error:
        status = Edition.objects.get(pk=edition_id).get_status_display()
        raise NotSending(f"It is not being sent: it is {status}.") from error


@transaction.atomic
def _move(
    edition_id: int,
    from_status: Collection[str],
    *conditions: Q,
    to: str,
    reason: str,
    detail: str,
    notice: datetime | None,
    actor: str,
    now: datetime,
) -> None:
    moved = Edition.objects.filter(*conditions, pk=edition_id, status__in=from_status).update(
        status=to,
        reason=reason,
        reason_detail=detail[:300],
        notice_due_at=notice,
        approved_at=None,
        approved_by=None,
        approved_hash="",
    )
    if not moved:
        raise IllegalMove(f"edition {edition_id} cannot become {to} from its present status")
    if actor:
        EditionLogEntry.objects.create(
            edition_id=edition_id,
            at=now,
            actor=actor,
            words=_in_words(to=to, reason=reason, detail=detail[:300]),
        )


def _in_words(*, to: str, reason: str, detail: str) -> str:
    """Return such as "Skipped, too few stories: 2 of at least 3 stories"."""
    if reason == Edition.Reason.STOPPED:
        what = "Stopped"
    else:
        what = f"{'Held' if to == _Status.HELD else 'Skipped'}, {Edition.Reason(reason).label}"
    return f"{what}: {detail}" if detail else what
