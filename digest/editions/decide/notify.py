"""Tell the editors by mail, once, that an edition is held."""

from __future__ import annotations

import logging
import smtplib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

from digest.models import Edition
from subscribers.mail.compose import compose

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

# Long enough to send a few mails; a crash delays the notice by this long.
LEASE = timedelta(minutes=5)


def due_notices(*, now: datetime) -> list[int]:
    due = Edition.objects.filter(notice_due_at__lte=now)
    return list(due.values_list("pk", flat=True))


def notify_held(*, edition_id: int, now: datetime) -> int:
    """Mail the editors if the notice is still due; return how many mails were sent.

    The notice is leased by moving its due time forward. So of two parallel runs only one sends,
    and a run that crashes or reaches nobody is repeated. Once one editor has the mail, the notice
    is done: if the relay refuses one address, the others must not get a mail every five minutes.
    """
    due = Edition.objects.filter(pk=edition_id, notice_due_at__lte=now)
    if not due.update(notice_due_at=now + LEASE):
        return 0
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    recipients = editors() if edition.status == Edition.Status.HELD else []
    sent = sum(_mail(edition, user) for user in recipients)
    if sent or not recipients:
        Edition.objects.filter(pk=edition_id, notice_due_at=now + LEASE).update(notice_due_at=None)
    return sent


def editors() -> list[User]:
    """Return the active staff with an address who may change editions."""
    users = get_user_model().objects.with_perm(
        "digest.change_edition", backend="django.contrib.auth.backends.ModelBackend"
    )
    return list(users.filter(is_staff=True).exclude(email="").order_by("pk"))


def _mail(edition: Edition, user: User) -> bool:
    """Send the notice; return whether the relay took it."""
    newsletter = edition.newsletter
    page = reverse("admin:digest_edition_change", args=[edition.pk])
    message = compose(
        template="held",
        context={
            "edition": edition,
            "newsletter": newsletter,
            "user": user,
            "url": f"{settings.SITE_URL}{page}",
            "deadline": edition.deadline_at,
            "is_part_sent": edition.sending_at is not None,
        },
        to=user.email,
        from_name=newsletter.from_name,
        from_email=newsletter.from_email,
    )
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("Editor %s was not told of edition %s: %s", user.pk, edition.pk, error)
        return False
    return True
