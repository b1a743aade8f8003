"""Give each lane one of the relays' connection slots, shared between relays by weight."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain

from django.conf import settings
from django.db import connection

from digest.delivery.pacing import circuit_breaker
from subscribers.mail.relays import Relay

# An advisory lock lives as long as the database session that took it. A lane that is killed
# therefore frees its connection slot with no clean-up and no lease to wait for.
_LOCK = "SELECT pg_try_advisory_lock(%s, %s)"
_UNLOCK = "SELECT pg_advisory_unlock(%s, %s)"
# pg_locks shows both numbers of a lock (objsubid 2 means that the lock has two numbers). One query
# therefore finds all slots in use, and takes no lock.
_TAKEN = """
    SELECT classid::bigint, objid::bigint FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 2 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND classid::bigint = ANY(%s)
"""


@contextmanager
def acquire(*, avoid: Collection[str] = ()) -> Iterator[Relay | None]:
    """Hold a free connection slot of a relay, or yield None if no slot is free.

    Slots are counted over all editions and hosts. The relay with the fewest lanes for its weight
    comes first. `avoid` names relays to pass over.
    """
    found = _take_slot(avoid)
    if found is None:
        yield None
        return
    relay, number = found
    try:
        yield relay
    finally:
        _release_slot(relay, number)


def available() -> int:
    """Return how many lanes could start now."""
    taken = _taken()
    in_service = [relay for tier in _in_service(()) for relay in tier]
    # While a relay's breaker is half open, only one lane may probe it.
    half_open = circuit_breaker.half_open(in_service)
    limits = [1 if relay.name in half_open else relay.connections for relay in in_service]
    return sum(
        max(0, limit - len(taken[relay.name]))
        for relay, limit in zip(in_service, limits, strict=True)
    )


def _take_slot(avoid: Collection[str]) -> tuple[Relay, int] | None:
    taken = _taken()
    in_service = _in_service(avoid)
    for tier in in_service:
        tier.sort(key=lambda relay: (len(taken[relay.name]) + 1) / max(relay.weight, 1))
    for relay in chain.from_iterable(in_service):
        for number in range(relay.connections):
            if number in taken[relay.name] or not _lock_slot(relay, number):
                continue
            # While a relay's breaker is half open, only one lane may probe it.
            if circuit_breaker.allow_probe(relay):
                return relay, number
            _release_slot(relay, number)
            break
    return None


def _in_service(avoid: Collection[str]) -> list[list[Relay]]:
    """Return the relays that lanes may use, in tiers: regular relays, then those on standby.

    The standby tier (weight 0) is there only while the breaker of every regular relay is open or
    half open.
    """
    unavailable = circuit_breaker.unavailable(settings.EMAIL_RELAYS)
    usable = [
        relay
        for relay in settings.EMAIL_RELAYS
        if relay.name not in unavailable and relay.name not in avoid
    ]
    regular = [relay for relay in usable if relay.weight]
    if len(circuit_breaker.half_open(regular)) < len(regular):
        return [regular]
    return [regular, [relay for relay in usable if not relay.weight]]


def _taken() -> dict[str, set[int]]:
    """Return by relay the numbers of its connection slots that are in use."""
    classes = {_class(relay): relay.name for relay in settings.EMAIL_RELAYS}
    taken: dict[str, set[int]] = {name: set() for name in classes.values()}
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [list(classes)])
        for lock_class, number in cursor.fetchall():
            taken[classes[lock_class]].add(number)
    return taken


def _class(relay: Relay) -> int:
    """Return the lock's first number for the relay.

    It is positive, so that PostgreSQL shows the same value whether it is read as signed or not.
    """
    return zlib.crc32(f"digest.connection-slot:{relay.name}".encode()) >> 1


def _lock_slot(relay: Relay, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [_class(relay), number])
        row = cursor.fetchone()
    return bool(row and row[0])


def _release_slot(relay: Relay, number: int) -> None:
    # A database connection that broke has released its locks.
    if connection.connection is None or connection.connection.closed:
        return
    with connection.cursor() as cursor:
        cursor.execute(_UNLOCK, [_class(relay), number])
