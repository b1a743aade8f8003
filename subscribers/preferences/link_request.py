"""Send readers who lost the link to their preferences a new one, by their address alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from subscribers.addresses.address import compare_key, normalise
from subscribers.consent.record import NO_ORIGIN, Origin
from subscribers.models import RequestedMail
from subscribers.preferences import requested_mail
from subscribers.preferences.requested_mail import LINKS_PER_DAY
from subscribers.signup import abuse
from subscribers.signup.abuse import Attempt, Purpose

LINK = RequestedMail.Kind.LINK
# The least time between two links to one mailbox.
COOLDOWN = timedelta(minutes=5)


def request_link(
    *, email: str, attempt: Attempt, origin: Origin = NO_ORIGIN, now: datetime
) -> None:
    """Request the link by mail; it is sent if the address belongs to a reader.

    This returns nothing and does the same work for every address, so that nobody can find out who
    reads us. Whether a mail goes out is decided when it is due (preferences.requested_mail).

    Raises:
        BadAddress: no mail can be sent to the address.
        ChallengeNeeded: there are too many requests now; try again with a solved challenge.
        SentTooQuickly: the form has to be sent once more.
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
        requested_mail.lock_mailbox(key)
        wait = _wait(key, now=now)
        if wait is not None:
            requested_mail.submit(kind=LINK, email_key=key, due_at=now + delay + wait, now=now)


def _wait(email_key: str, *, now: datetime) -> timedelta | None:
    """Return how long a link to the address has to wait, or None if it is not sent.

    A link that was requested a moment ago for the same address is on its way. Links to other
    addresses of the mailbox go out one after the other; a request for an address that no reader
    has is not among them any more.
    """
    requested = list(requested_mail.requested_today(LINK, email_key, now=now))
    asked = [mail.asked_at for mail in requested if mail.email_key == email_key]
    if len(asked) >= LINKS_PER_DAY or any(at > now - COOLDOWN for at in asked):
        return None
    before = [
        mail
        for mail in requested
        if mail.outcome != RequestedMail.Outcome.UNKNOWN
        and (mail.due_at or mail.asked_at > now - COOLDOWN)
    ]
    return COOLDOWN * min(len(before), LINKS_PER_DAY)
