"""Send readers who lost the link to their preferences a new one, by their address alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from subscribers.addresses.address import compare_key, normalise
from subscribers.consent.record import NO_ORIGIN, Origin
from subscribers.models import RequestedMail
from subscribers.preferences import requested_mail
from subscribers.signup import abuse
from subscribers.signup.abuse import Attempt, Purpose

# The least time between two links to one address, and the most links to it on one day.
COOLDOWN = timedelta(minutes=5)
LINKS_PER_DAY = 5


def request_link(
    *, email: str, attempt: Attempt, origin: Origin = NO_ORIGIN, now: datetime
) -> None:
    """Request the link by mail; it is sent if the address belongs to a reader.

    This returns nothing and does the same work for every address, so that nobody can find out who
    reads us. Whether a mail goes out is decided when it is due (preferences.requested_mail).

    Raises:
        BadAddress: no mail can be sent to the address.
        ChallengeNeeded: there are too many requests now; try again with a solved challenge.
    """
    key = compare_key(normalise(email))
    delay = abuse.judge(
        attempt,
        address_key=key,
        ip_address=origin.ip_address,
        purpose=Purpose.LOST_LINK,
        now=now,
    )
    if delay is None:
        return
    with transaction.atomic():
        requested_mail.lock_address(key)
        if _may_have_another(key, now=now):
            requested_mail.submit(
                kind=RequestedMail.Kind.LINK, email_key=key, due_at=now + delay, now=now
            )


def _may_have_another(email_key: str, *, now: datetime) -> bool:
    asked = RequestedMail.objects.filter(
        kind=RequestedMail.Kind.LINK, email_key=email_key, asked_at__gt=now - timedelta(days=1)
    ).values_list("asked_at", flat=True)
    return len(asked) < LINKS_PER_DAY and not any(at > now - COOLDOWN for at in asked)
