"""Tell the editors by mail, once, that an edition is held."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.urls import reverse

from digest.models import Edition
from subscribers.mail import due
from subscribers.mail.compose import compose

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.core.mail import EmailMultiAlternatives

logger = logging.getLogger(__name__)


def due_notices(*, now: datetime) -> list[int]:
    rows = Edition.objects.filter(notice_due_at__lte=now)
    return list(rows.values_list("pk", flat=True))


def notify_held(*, edition_id: int, now: datetime) -> int:
    """Mail the editors if the notice is still due; return how many mails were sent.

    The notice is leased by moving its due time forward. So of two parallel runs only one sends,
    and a run that crashes or reaches nobody is repeated. Once one editor has the mail, the notice
    is done: if the relay refuses one address, the others must not get a mail every five minutes.
    """
    notice = Edition.objects.filter(pk=edition_id)
    leased_until = now + due.LEASE
    if not notice.filter(notice_due_at__lte=now).update(notice_due_at=leased_until):
        return 0
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    recipients = editors() if edition.status == Edition.Status.HELD else []
    sent = sum(_mail(edition, user) for user in recipients)
    if sent or not recipients:
        notice.filter(notice_due_at=leased_until).update(notice_due_at=None)
    return sent


def editors() -> list[User]:
    """Return the active staff with an address who may change editions."""
    users = get_user_model().objects.with_perm(
        "digest.change_edition", backend="django.contrib.auth.backends.ModelBackend"
    )
    return list(users.filter(is_staff=True).exclude(email="").order_by("pk"))


def _mail(edition: Edition, user: User) -> bool:
    """Send the notice; return whether the relay took it."""
    found = due.attempt(lambda: _compose(edition, user), what=f"Notice of edition {edition.pk}")
    if not found.was_sent:
        logger.warning(
            "Editor %s was not notified of edition %s: %s", user.pk, edition.pk, found.reply
        )
    return found.was_sent


def _compose(edition: Edition, user: User) -> EmailMultiAlternatives:
    newsletter = edition.newsletter
    page = reverse("admin:digest_edition_change", args=[edition.pk])
    return compose(
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
