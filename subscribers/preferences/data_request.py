"""Send readers a link to their data, because their link to the preferences may be forwarded."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from subscribers.models import RequestedMail, Subscriber
from subscribers.preferences import requested_mail
from subscribers.preferences.requested_mail import LINKS_PER_DAY

DATA = RequestedMail.Kind.DATA
# The least time between two mails to one mailbox.
COOLDOWN = timedelta(minutes=5)


def request_data_link(*, subscription_id: int, now: datetime) -> None:
    """Request the mail that opens a reader's data; it goes to their own mailbox, whoever asks.

    A link to the preferences is in every mail, and mails are forwarded. Its holder may change what
    comes, which the reader can undo. What is stored about the reader, and erasing it, takes their
    mailbox. Within COOLDOWN, and beyond LINKS_PER_DAY, no further mail is sent.

    Raises:
        Subscriber.DoesNotExist: no such subscription.
    """
    with transaction.atomic():
        key = Subscriber.objects.get(subscriptions=subscription_id).email_key
        requested_mail.lock_mailbox(key)
        today = requested_mail.requested_today(DATA, key, now=now)
        if today.filter(asked_at__gt=now - COOLDOWN).exists():
            return
        if requested_mail.not_refused(today).count() >= LINKS_PER_DAY:
            requested_mail.record_refusal(kind=DATA, email_key=key, now=now)
        else:
            requested_mail.submit(kind=DATA, email_key=key, due_at=now, now=now)
