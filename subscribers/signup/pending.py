"""Remind readers who have not confirmed, once; erase sign-ups that nobody confirms."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from subscribers import signed_links
from subscribers.consent import guard
from subscribers.models import Event, Subscriber, Subscription
from subscribers.webhooks.emit import emit_for_subscription
from subscribers.webhooks.erasure import notify_purged

Status, Mail = Subscription.Status, Subscription.Mail

# Rows of one transaction: so few that nobody waits for its locks.
ROWS_PER_TRANSACTION = 500


def remind(*, now: datetime) -> int:
    """Make reminders due for the sign-ups whose confirmation link was sent REMINDER_HOURS ago.

    A link that was sent more than CONFIRM_WITHIN before that gets no reminder: after a long outage
    nobody remembers the sign-up. A mailbox is reminded of a newsletter once, even if several of its
    addresses were signed up.

    Returns:
        How many reminders are due now.
    """
    if not settings.REMINDER_HOURS:
        return 0
    sent_before = now - timedelta(hours=settings.REMINDER_HOURS)
    # The condition of the index subscription_to_remind.
    waiting = Subscription.objects.filter(
        status=Status.PENDING, mail_due_at=None, reminded_at=None, mail_kind=Mail.CONFIRM
    )
    to_remind = waiting.filter(
        mail_sent_at__lte=sent_before, mail_sent_at__gt=sent_before - signed_links.CONFIRM_WITHIN
    )
    to_remind = to_remind.exclude(Exists(_reminded_in_mailbox(now))).order_by("mail_sent_at")
    columns = ("pk", "newsletter", "subscriber__mailbox")
    reminded = 0
    while rows := list(to_remind.values_list(*columns)[:ROWS_PER_TRANSACTION]):
        # The mailbox of a reader whom an older release imported is not known: they count alone.
        first = {(newsletter, mailbox or pk): pk for pk, newsletter, mailbox in reversed(rows)}
        # A reader may have confirmed, or signed up again, since.
        reminded += waiting.filter(pk__in=first.values()).update(
            mail_kind=Mail.REMINDER, mail_due_at=now, mail_due_since=None, reminded_at=now
        )
        if len(rows) < ROWS_PER_TRANSACTION:
            break
    return reminded


def _reminded_in_mailbox(now: datetime) -> QuerySet[Subscription]:
    """Return those of one mailbox and newsletter that were reminded lately, for a subquery."""
    return Subscription.objects.filter(
        ~Q(subscriber__mailbox=""),
        subscriber__mailbox=OuterRef("subscriber__mailbox"),
        newsletter=OuterRef("newsletter"),
        reminded_at__gt=now - signed_links.CONFIRM_WITHIN,
    )


def erase_unconfirmed(*, before: datetime, now: datetime) -> tuple[int, bool]:
    """Erase sign-ups whose last mail is older than `before`, and their consent records.

    Somebody who had been a reader before is again one who left, as before the new sign-up. Their
    records in the ledger stay. This is a step of `retention`.

    Returns:
        How many are erased, and whether there may be more.
    """
    ids = _expired(before)
    with transaction.atomic(), guard.erasing():
        erased = _erase(ids, now=now)
    return erased, len(ids) == ROWS_PER_TRANSACTION


def _expired(before: datetime) -> list[int]:
    rows = Subscription.objects.filter(
        Q(mail_sent_at=None) | Q(mail_sent_at__lt=before),
        status=Status.PENDING,
        created_at__lt=before,
        mail_due_at=None,
    )
    return list(rows.order_by("created_at").values_list("pk", flat=True)[:ROWS_PER_TRANSACTION])


def _erase(ids: list[int], *, now: datetime) -> int:
    rows = Subscription.objects.select_for_update(of=("self",)).filter(
        pk__in=ids, status=Status.PENDING, mail_due_at=None
    )
    # Everybody locks them in this order. The events need the newsletter and the reader.
    rows = rows.select_related("newsletter", "subscriber").order_by("pk")
    were_readers = [row.pk for row in rows if row.confirmed_at]
    never_confirmed = [row for row in rows if not row.confirmed_at]
    back = Subscription.objects.filter(pk__in=were_readers).update(status=Status.UNSUBSCRIBED)
    for pk in were_readers:
        emit_for_subscription(event=Event.UNSUBSCRIBED, subscription_id=pk, now=now)
    for row in never_confirmed:
        notify_purged(row, now=now)
    Subscription.objects.filter(pk__in=[row.pk for row in never_confirmed]).delete()
    Subscriber.objects.filter(
        pk__in=[row.subscriber_id for row in never_confirmed], subscriptions=None, erased_at=None
    ).delete()
    return back + len(never_confirmed)
