"""Count sign-ups by mailbox, by network and in total, over all web servers together."""

from __future__ import annotations

import ipaddress
import logging
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from redis import Redis
from redis.commands.core import Script

from subscribers.addresses.mailbox import mailbox_of
from subscribers.plumbing import shared_redis
from subscribers.plumbing.signing import hmac_signer
from subscribers.signup.abuse.buckets import (
    ATTACK_LASTS,
    Decision,
    LeakyBucket,
    LimitCheck,
    LocalBuckets,
    Purpose,
)
from subscribers.signup.abuse.challenge import GOOD_FOR

logger = logging.getLogger(__name__)

# Attempts for one mailbox, by whichever of its addresses. A person who presses the button several
# times stays below this limit. A flood ends here and costs the database nothing. How many mails the
# attempts cause is decided by the database (enrol).
PER_ADDRESS = 20
# The share of the total limit that sign-ups without a form token may take.
UNPROVEN_SHARE = 0.2
# A network may send this many times its share if each sign-up brings a solved challenge.
SOLVED_FACTOR = 5
# Behind these addresses there is a proxy of our own (without BEHIND_PROXY all readers seem to come
# from it) or a developer. One limit for all of them would block sign-up for everybody.
PRIVATE_NETWORKS = [
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
    )
]  # fmt: skip
# The network of all clients whose address is not known.
UNKNOWN_NETWORK = "unknown"

_SOURCE = Path(__file__).with_suffix(".lua").read_text()
_ATTACK = "subscribers:signup:attack"


# The counts of this process, used while Redis is unavailable.
local_buckets = LocalBuckets()


def admit(check: LimitCheck, *, now: datetime) -> Decision:
    """Count one sign-up if every limit has room for it, and return the verdict.

    Without Redis each web server counts for itself: n servers then admit n times as many.
    """
    try:
        verdict, limit, delay = shared_redis.run(lambda redis: _run(redis, check, now=now))
    except shared_redis.RedisUnavailable as error:
        logger.warning("Redis is unavailable; sign-ups are counted on this server alone: %s", error)
        return local_buckets.admit(check, now=now)
    return Decision(verdict, limit, timedelta(seconds=float(delay)))


def under_attack(now: datetime) -> bool:
    """Return whether so many signed up lately that every sign-up needs a solved challenge."""
    try:
        return bool(shared_redis.run(lambda redis: redis.exists(_ATTACK)))
    except shared_redis.RedisUnavailable:
        return local_buckets.attack_until > now.timestamp()


def client_buckets(
    *, address_key: str, ip_address: str | None, solved: bool, proven: bool, purpose: Purpose
) -> list[LeakyBucket]:
    """Return the buckets of an untrusted client for this purpose, the total limit last."""
    found = [address_bucket(address_key, purpose)]
    if not _is_private(ip_address):
        share = settings.SIGNUP_LIMIT_NETWORK * (SOLVED_FACTOR if solved else 1)
        # It has a name of its own, because the capacity of a bucket must not change.
        name = "solved-network" if solved else "network"
        found.append(LeakyBucket(f"{name}:{network(ip_address)}{purpose}", share))
    if not proven:
        unproven = max(1, int(settings.SIGNUP_LIMIT * UNPROVEN_SHARE))
        found.append(LeakyBucket(f"unproven{purpose}", unproven))
    return [*found, total_bucket(purpose)]


def address_bucket(address_key: str, purpose: Purpose) -> LeakyBucket:
    """Return the bucket of an address: that of its mailbox.

    It is named by a keyed hash, because Redis need not know who reads us.
    """
    # The salt is no module's name: with another one, every mailbox would begin with no sign-ups.
    sign = hmac_signer("subscribers.abuse.limits", settings.SECRET_KEY)
    hashed = sign(mailbox_of(address_key).encode()).hex()[:32]
    return LeakyBucket(f"address:{hashed}{purpose}", PER_ADDRESS)


def total_bucket(purpose: Purpose) -> LeakyBucket:
    return LeakyBucket(f"all{purpose}", settings.SIGNUP_LIMIT)


def _is_private(ip_address: str | None) -> bool:
    if ip_address is None:
        return False
    address = ipaddress.ip_address(ip_address)
    return any(address in network for network in PRIVATE_NETWORKS)


def network(ip_address: str | None) -> str:
    """Return the /24 or, for IPv6, the /56 of the address: the range that one party holds.

    All clients whose address is unknown count as one network. If they counted as none, whoever got
    our proxy to write something odd would have no limit.
    """
    if ip_address is None:
        return UNKNOWN_NETWORK
    version = ipaddress.ip_address(ip_address).version
    return str(ipaddress.ip_network(f"{ip_address}/{24 if version == 4 else 56}", strict=False))


# --- In Redis -----------------------------------------------------------------------------------


def _run(redis: Redis, check: LimitCheck, *, now: datetime) -> list[str]:
    arguments: list[str | float] = [
        f"{now.timestamp():.6f}",
        check.solved,
        check.soft_limit,
        int(ATTACK_LASTS.total_seconds()),
        int(GOOD_FOR.total_seconds()),
        check.overflow,
    ]
    for bucket in check.buckets:
        arguments += [bucket.name, bucket.interval, bucket.capacity]
    result: list[str] = _script(redis)(args=arguments)
    return result


@cache
def _script(redis: Redis) -> Script:
    return redis.register_script(_SOURCE)
