"""Keep the sign-up form from being used to flood a mailbox or the list."""

from __future__ import annotations

import ipaddress
import logging
from datetime import datetime, timedelta

from django.core.cache import cache
from redis.exceptions import RedisError

from subscribers.models import Subscription

logger = logging.getLogger(__name__)

# One mail per address and newsletter in this time, and MAILS_PER_ADDRESS over all newsletters.
COOLDOWN = timedelta(minutes=5)
MAILS_PER_ADDRESS = 3
# Sign-ups from one network: an office or a campus behind one address stays well below.
SIGNUPS_PER_NETWORK = 60
NETWORK_WINDOW_SECONDS = 600
# Behind these stands a proxy of our own (without BEHIND_PROXY all readers seem to come from it) or
# a developer: one limit for everybody would close the door for everybody.
OUR_OWN = [
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
    )
]  # fmt: skip


def mail_allowed_at(subscription: Subscription, *, now: datetime) -> datetime | None:
    """Return when a mail that was asked for now may go out; None: not at all, one just went.

    Whoever left has shown to own the mailbox, so leaving ends the cooldown.
    """
    left = subscription.ended_at
    sent = subscription.mail_sent_at
    if subscription.mail_due_at:
        return None
    if sent and sent > now - COOLDOWN and not (left and left > sent):
        return None
    others = Subscription.objects.filter(
        subscriber=subscription.subscriber_id, mail_sent_at__gt=now - COOLDOWN
    ).exclude(pk=subscription.pk)
    return now if others.count() < MAILS_PER_ADDRESS else now + COOLDOWN


def network_allowed(ip_address: str | None) -> bool:
    """Count one sign-up from this network and tell whether it is within the limit.

    Without Redis every sign-up is allowed: the mail cooldown in the database still holds.
    """
    if ip_address is None or _is_our_own(ip_address):
        return True
    key = f"signups:{network(ip_address)}"
    try:
        cache.add(key, 0, timeout=NETWORK_WINDOW_SECONDS)
        count = cache.incr(key)
    except RedisError as error:
        logger.warning("No limit per network while Redis is away: %s", error)
        return True
    except ValueError:
        return True  # the count expired between the two calls
    if count > SIGNUPS_PER_NETWORK:
        logger.warning("More than %s sign-ups from %s", SIGNUPS_PER_NETWORK, key)
    return count <= SIGNUPS_PER_NETWORK


def _is_our_own(ip_address: str) -> bool:
    address = ipaddress.ip_address(ip_address)
    return any(address in network for network in OUR_OWN)


def network(ip_address: str) -> str:
    """Return the /24 or, for IPv6, the /56 that the address is in: what one party holds."""
    version = ipaddress.ip_address(ip_address).version
    return str(ipaddress.ip_network(f"{ip_address}/{24 if version == 4 else 56}", strict=False))
