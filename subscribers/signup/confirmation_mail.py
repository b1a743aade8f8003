"""Send the mail that is due for a subscription: confirmation, reminder or welcome, each once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.db.models import Case, F, Max, QuerySet, When
from django.db.models.functions import Coalesce
from django.urls import reverse

from subscribers import signed_links
from subscribers.consent import suppression
from subscribers.i18n import languages
from subscribers.mail import due
from subscribers.mail.compose import compose, one_click_headers
from subscribers.models import Consent, Event, Subscription
from subscribers.webhooks.emit import emit_for_subscription, has_listeners

logger = logging.getLogger(__name__)

# The task that sends the mails of this module and of preferences.requested_mail.
SEND_TASK = "subscribers.tasks.send_mails"
# Mails of one task. They take some ten seconds, so that a worker can be told to stop.
MAILS_PER_TASK = 1_000

Status, Mail = Subscription.Status, Subscription.Mail
# Which mail a subscription gets. A pair that is not listed gets none, above all a subscription that
# has ended since.
TEMPLATES = {
    (Mail.CONFIRM, Status.PENDING): "confirm",
    (Mail.CONFIRM, Status.ACTIVE): "already_subscribed",
    (Mail.REMINDER, Status.PENDING): "confirm_reminder",
    (Mail.WELCOME, Status.ACTIVE): "welcome",
}
# Mails that the reader did not ask for just now. They say how to unsubscribe.
UNREQUESTED = (Mail.REMINDER, Mail.WELCOME)


def due_ids(*, now: datetime, limit: int = due.ROWS_PER_QUERY) -> list[int]:
    """Return the subscriptions whose mail is due: reminders last, the longest waiting first."""
    rows = Subscription.objects.filter(mail_due_at__lte=now)
    is_reminder = Case(When(mail_kind=Mail.REMINDER, then=1), default=0)
    return list(rows.order_by(is_reminder, "mail_due_at").values_list("pk", flat=True)[:limit])


def send_all_due(*, clock: Callable[[], datetime]) -> bool:
    """Send what is due; return True after MAILS_PER_TASK mails, because more may be due."""
    return due.send_all(due_ids, send_if_due, clock=clock, limit=MAILS_PER_TASK)


def send_if_due(subscription_id: int, *, now: datetime) -> bool:
    """Send the mail if it is due; return whether one went out."""
    leased = Subscription.objects.filter(pk=subscription_id, mail_due_at__lte=now).update(
        mail_due_since=Coalesce("mail_due_since", F("mail_due_at")), mail_due_at=now + due.LEASE
    )
    if not leased:
        return False
    subscription = Subscription.objects.select_related("subscriber", "newsletter").get(
        pk=subscription_id
    )
    what = f"Mail for subscription {subscription_id}"
    found = due.attempt(lambda: _compose(subscription, now=now), what=what)
    if found.may_retry and (
        again := due.next_attempt_at(
            found,
            what=what,
            due_since=_due_since(subscription),
            give_up_after=signed_links.CONFIRM_WITHIN,
            now=now,
        )
    ):
        _unchanged_since_lease(subscription).update(mail_due_at=again)
    else:
        _settle(subscription, sent_at=now if found.was_sent else None)
    return found.was_sent


def _compose(subscription: Subscription, *, now: datetime) -> EmailMultiAlternatives:
    """Return the mail that fits the subscription as it is now, or raise NotToBeSent."""
    kind = Mail(subscription.mail_kind)
    template = TEMPLATES.get((kind, Status(subscription.status)))
    if template is None or suppression.is_suppressed(subscription.subscriber.email):
        raise due.NotToBeSent
    return compose_for(subscription, template=template, is_unrequested=kind in UNREQUESTED, now=now)


def compose_for(
    subscription: Subscription,
    *,
    template: str,
    is_unrequested: bool = False,
    may_leave: bool = False,
    now: datetime,
) -> EmailMultiAlternatives:
    """Return one of the mails of TEMPLATES; with `may_leave`, "confirm" has a link to leave, too.

    `is_unrequested` adds the headers of one click to leave.
    """
    newsletter = subscription.newsletter
    links = _links(subscription, now=now)
    return compose(
        template=template,
        context={
            "newsletter": newsletter,
            "link_days": signed_links.CONFIRM_WITHIN.days,
            "pending_days": settings.PENDING_DAYS,
            "may_leave": may_leave,
            "is_imported": _is_imported(subscription),
            "site_url": settings.SITE_URL,
            **links,
        },
        to=subscription.subscriber.email,
        from_name=newsletter.from_name,
        from_email=newsletter.from_email,
        reply_to=newsletter.reply_to,
        language=languages.mail_language(subscription),
        headers=one_click_headers(links["unsubscribe_url"]) if is_unrequested else None,
    )


def _is_imported(subscription: Subscription) -> bool:
    """Return whether a list brought the address here, and nobody has entered it since."""
    return (
        subscription.source == Subscription.FROM_LIST
        and not subscription.consents.filter(kind=Consent.Kind.SIGNUP).exists()
    )


def _links(subscription: Subscription, *, now: datetime) -> dict[str, str]:
    links = {
        "confirm_url": ("confirm", signed_links.confirm_token(subscription, now=now)),
        "preferences_url": ("preferences", signed_links.preferences_token(subscription)),
        "unsubscribe_url": ("unsubscribe", signed_links.unsubscribe_token(subscription.pk)),
        "newsletter_url": ("newsletter", subscription.newsletter.slug),
    }
    return {
        name: f"{settings.SITE_URL}{reverse(view, args=[argument])}"
        for name, (view, argument) in links.items()
    }


def _settle(subscription: Subscription, *, sent_at: datetime | None) -> None:
    """Record the outcome. A mail that became due after the lease stays due.

    A reader may press the button before the relay's answer is read here. The welcome is due then.
    """
    with transaction.atomic():
        if sent_at:
            Subscription.objects.filter(pk=subscription.pk).update(mail_sent_at=sent_at)
        _unchanged_since_lease(subscription).update(mail_due_at=None, mail_due_since=None)
        if sent_at and (subscription.mail_kind, subscription.status) == (
            Mail.CONFIRM, Status.PENDING,
        ):  # fmt: skip
            _notify_webhooks(subscription, now=sent_at)


def _notify_webhooks(subscription: Subscription, *, now: datetime) -> None:
    """Notify webhooks of the sign-up.

    This is not done when the sign-up is stored, because it would make new addresses take longer.
    No event is stored for a reader who was asked because of an import: they have not signed up.
    The mail has been sent, and that stays recorded even if the notification fails.
    """
    try:
        with transaction.atomic():
            if not has_listeners(event=Event.SUBSCRIBED, newsletter_id=subscription.newsletter_id):
                return
            if not subscription.consents.filter(kind=Consent.Kind.SIGNUP).exists():
                return
            emit_for_subscription(event=Event.SUBSCRIBED, subscription_id=subscription.pk, now=now)
            # A webhook may have been deleted since. At the commit, its missing row would undo the
            # record of the mail as well.
            connection.check_constraints()
    except Exception:
        logger.exception(
            "Webhooks could not be notified of the sign-up of subscription %s", subscription.pk
        )


def _unchanged_since_lease(subscription: Subscription) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        pk=subscription.pk,
        generation=subscription.generation,
        mail_kind=subscription.mail_kind,
        mail_due_at__isnull=False,
    )


def _due_since(subscription: Subscription) -> datetime:
    """Return when the mail was first due, or when the reader last asked, if that is later.

    The row's age would be wrong: in a long imported list, a row's turn may come days later.
    """
    asked_at = subscription.consents.aggregate(at=Max("created_at"))["at"]
    since = subscription.mail_due_since or subscription.created_at
    return max(since, asked_at or since)
