"""Send a reader who lost the link to their preferences a new one, by their address alone."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from subscribers import abuse
from subscribers.abuse import Attempt, Door
from subscribers.addresses import compare_key, normalise
from subscribers.consent import NOWHERE, Origin
from subscribers.models import Letter
from subscribers.preferences import post

# Between two links to one address, and links on one day.
COOLDOWN = timedelta(minutes=5)
LINKS_PER_DAY = 5


def ask_for_link(*, email: str, attempt: Attempt, origin: Origin = NOWHERE, now: datetime) -> None:
    """Have the link sent to the address, if anybody reads us there.

    It answers nothing and does the same work for every address, so that nobody can ask who reads
    us: whether a mail goes out is decided when it is to be sent (subscribers.letters).

    Raises:
        BadAddress: the address cannot be written to.
        ChallengeNeeded: many ask now; once more, with a solution.
    """
    key = compare_key(normalise(email))
    delay = abuse.judge(
        attempt,
        address_key=key,
        ip_address=origin.ip_address,
        door=Door.LOST_LINK,
        now=now,
    )
    if delay is None:
        return
    with transaction.atomic():
        post.one_at_a_time(key)
        if _is_time_for_another(key, now=now):
            post.ask(kind=Letter.Kind.LINK, email_key=key, due_at=now + delay, now=now)


def _is_time_for_another(email_key: str, *, now: datetime) -> bool:
    asked = Letter.objects.filter(
        kind=Letter.Kind.LINK, email_key=email_key, asked_at__gt=now - timedelta(days=1)
    ).values_list("asked_at", flat=True)
    return len(asked) < LINKS_PER_DAY and not any(at > now - COOLDOWN for at in asked)
