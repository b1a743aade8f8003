"""Tell the editors of a draft by mail, and remind them before its send time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import QuerySet

from digest.editions.decide.notify import compose_notice, edition_page, editors, mail_editor
from digest.editions.decide.preflight import min_stories
from digest.editions.decide.release import Release, what_if_left
from digest.models import Edition, EditionLogEntry, Schedule
from digest.rendering.contents import in_printed_order
from subscribers.mail import due

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True)
class _Kind:
    """A kind of mail: the field that says when it is due, its template, and what the log says."""

    due: str
    template: str
    words: str
    is_wanted: Callable[[Edition], bool]


def due_draft_notices(*, now: datetime) -> list[int]:
    """Return the ids of the drafts that the editors are due to be told of."""
    return list(_drafts(_DRAFT, now).values_list("pk", flat=True))


def due_reminders(*, now: datetime) -> list[int]:
    """Return the ids of the drafts that the editors are due to be reminded of."""
    return list(_drafts(_REMINDER, now).values_list("pk", flat=True))


def tell_of_draft(*, edition_id: int, now: datetime) -> int:
    """Mail the editors that the autopilot has made a draft; return how many mails were sent.

    The mail is leased as a notice is (decide.notify), and once one editor has it, it is done.
    """
    return _tell(edition_id, _DRAFT, now)


def remind(*, edition_id: int, now: datetime) -> int:
    """Mail the editors that a draft still waits for them; return how many mails were sent.

    A draft that goes out by itself needs no reminder.
    """
    return _tell(edition_id, _REMINDER, now)


def plan_reminder(edition: Edition, *, now: datetime) -> None:
    """Move the reminder, after the edition's send time was moved."""
    at = edition.reminds_at
    rows = Edition.objects.filter(pk=edition.pk)
    if at is None or at <= now:
        # What was sent is not sent again, and what is overdue is due now.
        rows = rows.exclude(reminder_due_at=None)
    rows.update(reminder_due_at=at)


def _drafts(kind: _Kind, now: datetime) -> QuerySet[Edition]:
    """Return the drafts whose mail is due.

    Whoever has decided on an edition needs no mail about it. One whose send time has come is
    decided in this minute, and then the notice tells of it.
    """
    return Edition.objects.filter(
        status=Edition.Status.DRAFT, sends_at__gt=now, corrects=None, **{f"{kind.due}__lte": now}
    )


def _tells(edition: Edition) -> bool:
    policy = edition.schedule.tell_of_draft if edition.schedule else Schedule.TellOfDraft.NEVER
    if policy == Schedule.TellOfDraft.NEEDED:
        return what_if_left(edition) is not Release.SEND
    return policy == Schedule.TellOfDraft.ALWAYS


def _reminds(edition: Edition) -> bool:
    return edition.reminds_at is not None and what_if_left(edition) is not Release.SEND


_DRAFT = _Kind("draft_notice_due_at", "draft", "Told {} of the draft by mail", _tells)
_REMINDER = _Kind(
    "reminder_due_at", "reminder", "Reminded {} by mail that nobody has approved it", _reminds
)


def _tell(edition_id: int, kind: _Kind, now: datetime) -> int:
    edition = _lease(edition_id, kind, now)
    if edition is None:
        return 0
    context = _context(edition)
    recipients = editors()
    sent = sum(_mail(kind, edition, user, context) for user in recipients)
    if recipients and not sent:
        return 0  # It is due again when the lease ends.
    who = f"{sent} {'editor' if sent == 1 else 'editors'}" if sent else "nobody"
    why = "" if sent else ": no editor who may approve has an address"
    with transaction.atomic():
        leased = Edition.objects.filter(pk=edition_id, **{kind.due: now + due.LEASE})
        if leased.update(**{kind.due: None}):
            edition.log.create(
                at=now, actor=EditionLogEntry.AUTOPILOT, words=kind.words.format(who) + why
            )
    return sent


@transaction.atomic
def _lease(edition_id: int, kind: _Kind, now: datetime) -> Edition | None:
    """Return the edition if its mail is still due and wanted; what is not wanted is done with.

    The row is locked, so that nobody decides on the edition between the look at it and the lease.
    """
    locked = _drafts(kind, now).select_for_update(of=("self",), skip_locked=True)
    edition = (
        locked.filter(pk=edition_id).select_related("newsletter", "schedule__newsletter").first()
    )
    if edition is None:
        return None
    is_wanted = kind.is_wanted(edition)
    Edition.objects.filter(pk=edition_id).update(
        **{kind.due: now + due.LEASE if is_wanted else None}
    )
    return edition if is_wanted else None


def _mail(kind: _Kind, edition: Edition, user: User, context: dict[str, Any]) -> bool:
    return mail_editor(
        user,
        lambda: compose_notice(kind.template, edition.newsletter, user, context),
        what=f"{kind.template.capitalize()} of edition {edition.pk}",
    )


def _context(edition: Edition) -> dict[str, Any]:
    items = in_printed_order(list(edition.items.select_related("story")))
    minimum = min_stories(edition)
    return {
        "edition": edition,
        "url": edition_page(edition),
        "items": items,
        "too_few": minimum if len(items) < minimum else 0,
        "becomes": what_if_left(edition).value,
    }
