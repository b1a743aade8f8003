"""Send the mail that a sign-up made due, once."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Max
from django.urls import reverse

from subscribers import languages, suppression, tokens
from subscribers.mail import compose
from subscribers.models import Subscription

logger = logging.getLogger(__name__)

# Longer than a worker can take over one mail: the relay times out after EMAIL_TIMEOUT.
LEASE = timedelta(minutes=5)
# How many lost or imported ones a tick takes up: their tasks stand before a reader's who is
# waiting for the mail now.
PER_TICK = 200
LONGEST_PAUSE = timedelta(hours=6)

# Which mail a subscription gets; one that has been ended meanwhile gets none.
TEMPLATES = {
    Subscription.Status.PENDING: "confirm",
    Subscription.Status.ACTIVE: "already_subscribed",
}


def due_ids(*, now: datetime, limit: int = PER_TICK) -> list[int]:
    """Return the subscriptions whose mail is due, the longest waiting first."""
    due = Subscription.objects.filter(mail_due_at__lte=now).order_by("mail_due_at")
    return list(due.values_list("pk", flat=True)[:limit])


def send_due(*, subscription_id: int, now: datetime) -> bool:
    """Send the mail if it is due, and say whether one went out.

    The intention is leased first: a second worker finds nothing due, and what a crash leaves
    behind is due again after LEASE. A relay that fails puts the mail off (`_put_off`).
    """
    leased = Subscription.objects.filter(pk=subscription_id, mail_due_at__lte=now).update(
        mail_due_at=now + LEASE
    )
    if not leased:
        return False
    subscription = Subscription.objects.select_related("subscriber", "newsletter").get(
        pk=subscription_id
    )
    message = _compose(subscription, now=now)
    if message is None:
        _settle(subscription, sent_at=None)
        return False
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        _refused(subscription, error, now=now)
        return False
    except (smtplib.SMTPException, OSError) as error:
        _put_off(subscription, error, now=now)
        return False
    _settle(subscription, sent_at=now)
    return True


def _compose(subscription: Subscription, *, now: datetime) -> EmailMultiAlternatives | None:
    """Return the mail that fits the subscription as it is now; None where there is none to send."""
    template = TEMPLATES.get(Subscription.Status(subscription.status))
    address = subscription.subscriber.email
    if template is None or suppression.is_suppressed(address):
        return None
    newsletter = subscription.newsletter
    links = {
        "confirm_url": ("confirm", tokens.confirm_token(subscription, now=now)),
        "preferences_url": ("preferences", tokens.preferences_token(subscription.pk)),
        "unsubscribe_url": ("unsubscribe", tokens.unsubscribe_token(subscription.pk)),
        "newsletter_url": ("newsletter", newsletter.slug),
    }
    return compose(
        template=template,
        context={
            "newsletter": newsletter,
            "hours": int(tokens.CONFIRM_WITHIN.total_seconds() // 3600),
            **{
                name: f"{settings.SITE_URL}{reverse(view, args=[argument])}"
                for name, (view, argument) in links.items()
            },
        },
        to=address,
        from_name=newsletter.from_name,
        from_email=newsletter.from_email,
        reply_to=newsletter.reply_to,
        language=languages.of_mails(subscription),
    )


def _settle(subscription: Subscription, *, sent_at: datetime | None) -> None:
    """Record the outcome. A new sign-up since the lease keeps its own due time.

    (It cannot have one: while a mail is due no other is asked for. Leaving clears it.)
    """
    changes = {"mail_due_at": None} | ({"mail_sent_at": sent_at} if sent_at else {})
    Subscription.objects.filter(pk=subscription.pk, generation=subscription.generation).update(
        **changes
    )


def _refused(
    subscription: Subscription, error: smtplib.SMTPRecipientsRefused, *, now: datetime
) -> None:
    """A 5yz is final (RFC 5321, section 4.2.1); anything else may pass.

    So may a 5yz for policy (RFC 3463, X.7.Z): it is us whom the relay refuses, not the reader.
    """
    replies = list(error.recipients.values())
    if replies and all(500 <= code < 600 and text[:4] != b"5.7." for code, text in replies):
        codes = [code for code, _ in replies]
        logger.info("Mail for subscription %s is refused: %s", subscription.pk, codes)
        _settle(subscription, sent_at=None)
    else:
        _put_off(subscription, error, now=now)


def _put_off(subscription: Subscription, error: Exception, *, now: datetime) -> None:
    """Try again after as long as the reader has waited already, so that the pauses double.

    After the time that a link would have been valid, nobody waits for it any more.
    """
    asked_at = subscription.consents.aggregate(at=Max("created_at"))["at"]
    waited = now - (asked_at or subscription.created_at)
    if waited > tokens.CONFIRM_WITHIN:
        logger.error("Mail for subscription %s given up: %s", subscription.pk, error)
        _settle(subscription, sent_at=None)
        return
    pause = min(max(waited, timedelta(minutes=1)), LONGEST_PAUSE)
    logger.warning("Mail for subscription %s in %s again: %s", subscription.pk, pause, error)
    Subscription.objects.filter(pk=subscription.pk, mail_due_at__isnull=False).update(
        mail_due_at=now + pause
    )
