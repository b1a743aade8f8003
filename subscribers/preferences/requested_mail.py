"""Store the mails that readers request on their pages, and send each of them once."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.db.models import Case, QuerySet, Value, When
from django.urls import reverse

from subscribers import signed_links
from subscribers.consent import suppression
from subscribers.i18n import languages
from subscribers.mail.compose import compose, is_permanent_refusal
from subscribers.models import AddressChange, RequestedMail, Subscription
from subscribers.plumbing.queue import enqueue_once
from subscribers.signup.confirmation_mail import LEASE, MAX_RETRY_DELAY, SEND_TASK

logger = logging.getLogger(__name__)

Kind, Outcome = RequestedMail.Kind, RequestedMail.Outcome
MAILS_PER_TASK = 200

TEMPLATES = {
    Kind.LINK: "preferences_link",
    Kind.OLD_ADDRESS: "old_address",
    Kind.NEW_ADDRESS: "new_address",
}


class NotSent(Exception):
    """The mail is not to be sent; `outcome` says why."""

    def __init__(self, outcome: RequestedMail.Outcome) -> None:
        super().__init__(str(outcome.label))
        self.outcome = outcome


def submit(
    *,
    kind: str,
    email_key: str,
    due_at: datetime,
    change: AddressChange | None = None,
    now: datetime,
) -> None:
    """Store the intention to send the mail and wake a worker; a later `due_at` waits for a tick."""
    RequestedMail.objects.create(
        kind=kind, email_key=email_key, change=change, asked_at=now, due_at=due_at
    )
    enqueue_once(SEND_TASK)


def record_refusal(*, kind: str, email_key: str, change: AddressChange, now: datetime) -> None:
    """Record that the mail was requested too often; whoever requests it is not told."""
    RequestedMail.objects.create(
        kind=kind,
        email_key=email_key,
        change=change,
        asked_at=now,
        outcome=RequestedMail.Outcome.TOO_OFTEN,
    )


def lock_address(email_key: str) -> None:
    """Let other requests for a mail to this address wait until the transaction is over.

    The lock goes by the address and not by a row: whether there is a row must make no difference.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [email_key])


def due_ids(*, now: datetime, limit: int = MAILS_PER_TASK) -> list[int]:
    """Return the requested mails that are due, the longest waiting first."""
    due = RequestedMail.objects.filter(due_at__lte=now).order_by("due_at")
    return list(due.values_list("pk", flat=True)[:limit])


def send_all_due(*, clock: Callable[[], datetime]) -> bool:
    """Send what is due; return whether there may be more."""
    ids = due_ids(now=clock())
    for mail_id in ids:
        try:
            send_if_due(mail_id=mail_id, now=clock())
        except Exception:  # a broken mail stays leased, and must not hold up the others
            logger.exception("Mail %s failed", mail_id)
    return len(ids) == MAILS_PER_TASK


def send_if_due(*, mail_id: int, now: datetime) -> bool:
    """Send the requested mail if it is due; return whether it went out.

    The row is leased first, so a second worker finds nothing due. A mail that a crash leaves behind
    is due again after LEASE.
    """
    leased = RequestedMail.objects.filter(pk=mail_id, due_at__lte=now).update(due_at=now + LEASE)
    if not leased:
        return False
    mail = RequestedMail.objects.select_related("change__subscriber").get(pk=mail_id)
    try:
        _compose(mail, now=now).send()
    except NotSent as error:
        return _settle(mail, error.outcome)
    except (smtplib.SMTPException, OSError) as error:
        return _failed(mail, error, now=now)
    except Exception as error:  # our own fault: if it is fixed in time, the mail still goes out
        logger.exception("Mail %s failed", mail_id)
        return _failed(mail, error, now=now)
    return _settle(mail, Outcome.SENT)


def _compose(mail: RequestedMail, *, now: datetime) -> EmailMultiAlternatives:
    kind = Kind(mail.kind)
    if mail.change is None:
        found = Subscription.objects.filter(subscriber__email_key=mail.email_key)
    else:
        _check(mail.change, kind)
        found = mail.change.subscriber.subscriptions.all()
    subscription = _sending_subscription(found)
    address = subscription.subscriber.email
    if mail.change and kind == Kind.NEW_ADDRESS:
        address = mail.change.email
    if suppression.is_suppressed(address):
        raise NotSent(Outcome.SUPPRESSED)
    newsletter = subscription.newsletter
    return compose(
        template=TEMPLATES[kind],
        context={
            "newsletter": newsletter,
            "hours": int(signed_links.CONFIRM_WITHIN.total_seconds() // 3600),
            "link": f"{settings.SITE_URL}{_link(mail, subscription, now=now)}",
        },
        to=address,
        from_name=newsletter.from_name,
        from_email=newsletter.from_email,
        reply_to=newsletter.reply_to,
        language=languages.mail_language(subscription),
    )


def _check(change: AddressChange, kind: RequestedMail.Kind) -> None:
    """Raise NotSent if the change is over or this side has agreed already."""
    agreed_at = change.old_agreed_at if kind == Kind.OLD_ADDRESS else change.new_agreed_at
    if change.status != AddressChange.Status.OPEN or agreed_at:
        raise NotSent(Outcome.OVERTAKEN)


def _sending_subscription(subscriptions: QuerySet[Subscription]) -> Subscription:
    """Return the subscription whose newsletter sends the mail: an active one, if there is one.

    Raises:
        NotSent: there is no reader at the address.
    """
    is_active = Case(When(status=Subscription.Status.ACTIVE, then=Value(0)), default=Value(1))
    related = ("subscriber", "newsletter")
    # A subscription that was moved to another address is left out: the old mailbox may be somebody
    # else's by now.
    current = subscriptions.filter(moved_to=None)
    found = current.select_related(*related).order_by(is_active, "-created_at", "-pk")
    if (subscription := found.filter(subscriber__erased_at=None).first()) is None:
        raise NotSent(Outcome.UNKNOWN)
    return subscription


def _link(mail: RequestedMail, subscription: Subscription, *, now: datetime) -> str:
    if mail.change is None:
        return reverse("preferences", args=[signed_links.preferences_token(subscription)])
    side = "old" if mail.kind == Kind.OLD_ADDRESS else "new"
    return reverse(
        "address-change", args=[signed_links.address_change_token(mail.change.pk, side, now=now)]
    )


def _settle(mail: RequestedMail, outcome: RequestedMail.Outcome) -> bool:
    RequestedMail.objects.filter(pk=mail.pk).update(due_at=None, outcome=outcome)
    return outcome == Outcome.SENT


def _failed(mail: RequestedMail, error: Exception, *, now: datetime) -> bool:
    """Postpone the mail by as long as it has waited already, so that the pauses double."""
    if is_permanent_refusal(error):
        logger.info("Mail %s is refused", mail.pk)
        return _settle(mail, Outcome.REFUSED)
    waited = now - mail.asked_at
    if waited > signed_links.CONFIRM_WITHIN:
        logger.error("Mail %s given up: %s", mail.pk, error)
        return _settle(mail, Outcome.GIVEN_UP)
    pause = min(max(waited, timedelta(minutes=1)), MAX_RETRY_DELAY)
    logger.warning("Mail %s is retried in %s: %s", mail.pk, pause, error)
    RequestedMail.objects.filter(pk=mail.pk).update(due_at=now + pause)
    return False
