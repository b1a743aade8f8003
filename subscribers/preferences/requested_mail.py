"""Store the mails that readers request on their pages, and send each of them once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.db.models import Case, QuerySet, Value, When
from django.urls import reverse

from subscribers import signed_links
from subscribers.addresses.mailbox import mailbox_of
from subscribers.consent import suppression
from subscribers.i18n import languages
from subscribers.mail import due
from subscribers.mail.compose import compose
from subscribers.models import AddressChange, RequestedMail, Subscription
from subscribers.plumbing.queue import enqueue_once
from subscribers.signup.confirmation_mail import SEND_TASK, compose_for

Kind, Outcome = RequestedMail.Kind, RequestedMail.Outcome
MAILS_PER_TASK = 200
# The most links of one kind to a mailbox on one day, whichever of its addresses they go to.
LINKS_PER_DAY = 5

TEMPLATES = {
    Kind.LINK: "preferences_link",
    Kind.DATA: "data_link",
    Kind.OLD_ADDRESS: "old_address",
    Kind.NEW_ADDRESS: "new_address",
}


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
        kind=kind,
        email_key=email_key,
        mailbox=mailbox_of(email_key),
        change=change,
        asked_at=now,
        due_at=due_at,
    )
    enqueue_once(SEND_TASK)


def record_refusal(
    *, kind: str, email_key: str, change: AddressChange | None = None, now: datetime
) -> None:
    """Record that the mail was requested too often; whoever requests it is not told."""
    RequestedMail.objects.create(
        kind=kind,
        email_key=email_key,
        mailbox=mailbox_of(email_key),
        change=change,
        asked_at=now,
        outcome=RequestedMail.Outcome.TOO_OFTEN,
    )


def lock_mailbox(email_key: str) -> None:
    """Let other requests for a mail to this address's mailbox wait until the transaction is over.

    The lock goes by the mailbox and not by a row: whether there is a row must make no difference.
    """
    with connection.cursor() as cursor:
        mailbox = mailbox_of(email_key)
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [mailbox])


def requested_today(kind: str, email_key: str, *, now: datetime) -> QuerySet[RequestedMail]:
    """Return the mails of this kind that were requested for the address's mailbox within a day."""
    return RequestedMail.objects.filter(
        kind=kind, mailbox=mailbox_of(email_key), asked_at__gt=now - timedelta(days=1)
    )


def not_refused(mails: QuerySet[RequestedMail]) -> QuerySet[RequestedMail]:
    """Leave out the requests that came too often.

    They count towards no limit: otherwise whoever goes on asking would keep a reader out for good.
    """
    return mails.exclude(outcome=RequestedMail.Outcome.TOO_OFTEN)


def due_ids(*, now: datetime, limit: int = due.ROWS_PER_QUERY) -> list[int]:
    """Return the requested mails that are due, the longest waiting first."""
    rows = RequestedMail.objects.filter(due_at__lte=now).order_by("due_at")
    return list(rows.values_list("pk", flat=True)[:limit])


def send_all_due(*, clock: Callable[[], datetime]) -> bool:
    """Send what is due; return True after MAILS_PER_TASK mails, because more may be due."""
    return due.send_all(due_ids, send_if_due, clock=clock, limit=MAILS_PER_TASK)


def send_if_due(mail_id: int, *, now: datetime) -> bool:
    """Send the requested mail if it is due; return whether it went out."""
    row, leased_until = RequestedMail.objects.filter(pk=mail_id), now + due.LEASE
    if not row.filter(due_at__lte=now).update(due_at=leased_until):
        return False
    mail = RequestedMail.objects.select_related("change__subscriber").get(pk=mail_id)
    what = f"Mail {mail_id}"
    found = due.attempt(lambda: _compose(mail, now=now), what=what)
    outcome, again = _outcome(found), None
    if found.may_retry:
        again = due.next_attempt_at(
            found,
            what=what,
            due_since=mail.asked_at,
            give_up_after=signed_links.CONFIRM_WITHIN,
            now=now,
        )
    # Another worker may have taken over after the lease.
    row.filter(due_at=leased_until).update(due_at=again, outcome=mail.outcome if again else outcome)
    return found.was_sent


def _outcome(found: due.SendAttempt) -> str:
    """Return the outcome of an attempt after which there is no other."""
    if found.was_sent:
        return Outcome.SENT
    if isinstance(found.error, due.NotToBeSent):
        return found.error.reason
    return Outcome.GIVEN_UP if found.may_retry else Outcome.REFUSED


def _compose(mail: RequestedMail, *, now: datetime) -> EmailMultiAlternatives:
    kind = Kind(mail.kind)
    if mail.change is None:
        _check_limit(mail, now=now)
        found = Subscription.objects.filter(subscriber__email_key=mail.email_key)
    else:
        _check(mail.change, kind)
        found = mail.change.subscriber.subscriptions.all()
    subscription = _sending_subscription(found)
    address = subscription.subscriber.email
    if mail.change and kind == Kind.NEW_ADDRESS:
        address = mail.change.email
    if suppression.is_suppressed(address):
        raise due.NotToBeSent(Outcome.SUPPRESSED)
    newsletter = subscription.newsletter
    if kind == Kind.LINK and subscription.status == Subscription.Status.PENDING:
        # Nothing comes to them yet: they look for the link to confirm, or they want to be gone.
        return compose_for(subscription, template="confirm", may_leave=True, now=now)
    return compose(
        template=TEMPLATES[kind],
        context={
            "newsletter": newsletter,
            "link_days": _valid_for(kind).days,
            "link": f"{settings.SITE_URL}{_link(mail, subscription, now=now)}",
        },
        to=address,
        from_name=newsletter.from_name,
        from_email=newsletter.from_email,
        reply_to=newsletter.reply_to,
        language=languages.mail_language(subscription),
    )


def _check_limit(mail: RequestedMail, *, now: datetime) -> None:
    """Raise NotToBeSent if the mailbox has had its links of the day.

    Only links that were sent count. So nobody can use up a mailbox's links by requests for tagged
    addresses that no reader has.
    """
    sent = requested_today(mail.kind, mail.email_key, now=now).filter(outcome=Outcome.SENT)
    if sent.count() >= LINKS_PER_DAY:
        raise due.NotToBeSent(Outcome.TOO_OFTEN)


def _check(change: AddressChange, kind: RequestedMail.Kind) -> None:
    """Raise NotToBeSent if the change is over or this side has agreed already."""
    agreed_at = change.old_agreed_at if kind == Kind.OLD_ADDRESS else change.new_agreed_at
    if change.status != AddressChange.Status.OPEN or agreed_at:
        raise due.NotToBeSent(Outcome.OVERTAKEN)


def confirmed_first(subscriptions: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Return them in order: the newsletter of the first one lends its name to a requested mail.

    Active ones come first, then those that were active once. A pending one comes last: anybody can
    sign a reader up, and so would choose under whose name we write to them.
    """
    is_active = When(status=Subscription.Status.ACTIVE, then=Value(0))
    was_active = When(confirmed_at__isnull=False, then=Value(1))
    order = Case(is_active, was_active, default=Value(2))
    return subscriptions.select_related("subscriber", "newsletter").order_by(
        order, "-created_at", "-pk"
    )


def _sending_subscription(subscriptions: QuerySet[Subscription]) -> Subscription:
    """Return the subscription whose newsletter sends the mail.

    Raises:
        NotToBeSent: there is no reader at the address.
    """
    # A subscription that was moved to another address is left out: the old mailbox may be somebody
    # else's by now.
    current = subscriptions.filter(moved_to=None, subscriber__erased_at=None)
    if (subscription := confirmed_first(current).first()) is None:
        raise due.NotToBeSent(Outcome.UNKNOWN)
    return subscription


def _valid_for(kind: RequestedMail.Kind) -> timedelta:
    return signed_links.DATA_WITHIN if kind == Kind.DATA else signed_links.CONFIRM_WITHIN


def _link(mail: RequestedMail, subscription: Subscription, *, now: datetime) -> str:
    if mail.kind == Kind.DATA:
        return reverse("data-export", args=[signed_links.data_token(subscription, now=now)])
    if mail.change is None:
        return reverse("preferences", args=[signed_links.preferences_token(subscription)])
    side = "old" if mail.kind == Kind.OLD_ADDRESS else "new"
    return reverse(
        "address-change", args=[signed_links.address_change_token(mail.change.pk, side, now=now)]
    )
