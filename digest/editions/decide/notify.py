"""Tell the editors by mail, once, that an edition is held or did not go out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.urls import reverse

from digest.editions.draft.missed import NOTHING_RAN
from digest.models import Delivery, Edition
from subscribers.mail import due
from subscribers.mail.compose import compose
from subscribers.models import Newsletter

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.core.mail import EmailMultiAlternatives

    _Compose = Callable[[list[Edition], User], EmailMultiAlternatives]

logger = logging.getLogger(__name__)

# The states of an edition that no editor can send any more. One that is still sending has passed
# its deadline: its last messages are on the wire.
OVER = (Edition.Status.SKIPPED, Edition.Status.SENDING, Edition.Status.SENT)


def due_notices(*, now: datetime) -> list[int]:
    rows = Edition.objects.filter(notice_due_at__lte=now)
    return list(rows.values_list("pk", flat=True))


def notify_editors(*, edition_id: int, now: datetime) -> int:
    """Mail the editors if the notice is still due; return how many mails were sent.

    After an outage several editions of a newsletter were skipped; one mail tells of all of them.

    A notice is leased by moving its due time forward. So of two parallel runs only one sends, and a
    run that crashes or reaches nobody is repeated. Once one editor has the mail, the notice is
    done: if the relay refuses one address, the others must not get a mail every five minutes.
    """
    editions = _lease(edition_id, now)
    if not editions:
        return 0
    is_held = editions[0].status == Edition.Status.HELD
    compose_for = _compose_held if is_held else _compose_not_sent
    recipients = editors() if is_held or editions[0].status in OVER else []
    what = f"Notice of edition {', '.join(str(edition.pk) for edition in editions)}"
    sent = sum(
        mail_editor(user, partial(compose_for, editions, user), what=what) for user in recipients
    )
    if sent or not recipients:
        leased = Edition.objects.filter(pk__in=[edition.pk for edition in editions])
        leased.filter(notice_due_at=now + due.LEASE).update(notice_due_at=None)
    return sent


@transaction.atomic
def _lease(edition_id: int, now: datetime) -> list[Edition]:
    """Return the edition, and with one that is over all others of its newsletter that are due."""
    notices = Edition.objects.filter(notice_due_at__lte=now)
    edition = notices.filter(pk=edition_id).first()
    if edition is None:
        return []
    if edition.status in OVER:
        found = notices.filter(newsletter=edition.newsletter_id, status__in=OVER)
    else:
        found = notices.filter(pk=edition_id)
    locked = found.select_for_update(of=("self",), skip_locked=True).select_related("newsletter")
    editions = list(locked.order_by("sends_at", "pk"))
    ids = [edition.pk for edition in editions]
    Edition.objects.filter(pk__in=ids).update(notice_due_at=now + due.LEASE)
    return editions


def editors() -> list[User]:
    """Return the active staff with an address who may approve editions: a held one needs them."""
    users = get_user_model().objects.with_perm(
        "digest.approve_edition", backend="django.contrib.auth.backends.ModelBackend"
    )
    return list(users.filter(is_staff=True).exclude(email="").order_by("pk"))


def mail_editor(
    user: User, compose_for: Callable[[], EmailMultiAlternatives], *, what: str
) -> bool:
    """Send an editor a mail about an edition; return whether the relay took it."""
    found = due.attempt(compose_for, what=what)
    if not found.was_sent:
        logger.warning("Editor %s did not get the mail. %s: %s", user.pk, what, found.reply)
    return found.was_sent


def _compose_held(editions: list[Edition], user: User) -> EmailMultiAlternatives:
    (edition,) = editions
    context = {
        "edition": edition,
        "url": edition_page(edition),
        "deadline": edition.deadline_at,
        "is_part_sent": edition.sending_at is not None,
    }
    return compose_notice("held", edition.newsletter, user, context)


def _compose_not_sent(editions: list[Edition], user: User) -> EmailMultiAlternatives:
    over = [
        {
            "edition": edition,
            "url": edition_page(edition),
            # Some details are whole sentences; the template adds a full stop to each.
            "detail": edition.reason_detail.rstrip("."),
            "missed": _missed_readers(edition),
        }
        for edition in editions
    ]
    nothing_ran = any(edition.reason_detail == NOTHING_RAN for edition in editions)
    context = {"editions": over, "nothing_ran": nothing_ran}
    return compose_notice("not_sent", editions[0].newsletter, user, context)


def _missed_readers(edition: Edition) -> int:
    """Return how many readers did not get an edition that others got."""
    if edition.status == Edition.Status.SKIPPED:
        return 0
    return Delivery.objects.filter(
        edition=edition, status=Delivery.Status.SKIPPED, reason=Delivery.Reason.PAST_DEADLINE
    ).count()


def edition_page(edition: Edition) -> str:
    """Return the absolute URL of the edition's page in the admin."""
    return f"{settings.SITE_URL}{reverse('admin:digest_edition_change', args=[edition.pk])}"


def compose_notice(
    template: str, newsletter: Newsletter, user: User, context: dict[str, Any]
) -> EmailMultiAlternatives:
    """Compose a mail to an editor, from the newsletter's sender."""
    return compose(
        template=template,
        context={"newsletter": newsletter, "user": user, **context},
        to=user.email,
        from_name=newsletter.from_name,
        from_email=newsletter.from_email,
    )
