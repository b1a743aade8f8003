"""Let no more lanes run than the relays take connections, and share the lanes out by weight."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain

from django.conf import settings
from django.db import connection

from digest.delivery import breaker
from subscribers.relays import Relay

# An advisory lock lives as long as the database session that took it, so a lane that is killed
# frees its berth with no clean-up and no lease to wait for.
_LOCK = "SELECT pg_try_advisory_lock(%s, %s)"
_UNLOCK = "SELECT pg_advisory_unlock(%s, %s)"
# Both numbers of a lock stand in pg_locks (objsubid 2: it was taken by two), so who is where needs
# one query and takes no lock.
_TAKEN = """
    SELECT classid::bigint, objid::bigint FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 2 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND classid::bigint = ANY(%s)
"""


@contextmanager
def berth(*, avoid: Collection[str] = ()) -> Iterator[Relay | None]:
    """Hold a free connection of a relay, over all editions and hosts; None where there is none.

    The relay with the fewest lanes for its weight comes first. `avoid` names relays to pass over.
    """
    found = _take(avoid)
    if found is None:
        yield None
        return
    relay, number = found
    try:
        yield relay
    finally:
        _leave(relay, number)


def free() -> int:
    """How many lanes could start now."""
    taken = _taken()
    in_service = [relay for tier in _in_service(()) for relay in tier]
    # One lane alone tries whether a relay is back.
    tried = breaker.on_probation(in_service)
    room = [1 if relay.name in tried else relay.connections for relay in in_service]
    return sum(
        max(0, most - len(taken[relay.name])) for relay, most in zip(in_service, room, strict=True)
    )


def _take(avoid: Collection[str]) -> tuple[Relay, int] | None:
    taken = _taken()
    in_service = _in_service(avoid)
    for tier in in_service:
        tier.sort(key=lambda relay: (len(taken[relay.name]) + 1) / max(relay.weight, 1))
    for relay in chain.from_iterable(in_service):
        for number in range(relay.connections):
            if number in taken[relay.name] or not _lock(relay, number):
                continue
            # Of a relay that failed only one lane tries whether it is back.
            if breaker.may_try(relay):
                return relay, number
            _leave(relay, number)
            break
    return None


def _in_service(avoid: Collection[str]) -> list[list[Relay]]:
    """The relays that lanes may take, and behind them those that stand by.

    The latter only where all others rest, or are but tried by one lane.
    """
    resting = breaker.resting(settings.EMAIL_RELAYS)
    up = [
        relay
        for relay in settings.EMAIL_RELAYS
        if relay.name not in resting and relay.name not in avoid
    ]
    regular = [relay for relay in up if relay.weight]
    if len(breaker.on_probation(regular)) < len(regular):
        return [regular]
    return [regular, [relay for relay in up if not relay.weight]]


def _taken() -> dict[str, set[int]]:
    """The numbers of each relay's connections that are in use."""
    classes = {_class(relay): relay.name for relay in settings.EMAIL_RELAYS}
    taken: dict[str, set[int]] = {name: set() for name in classes.values()}
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [list(classes)])
        for lock_class, number in cursor.fetchall():
            taken[classes[lock_class]].add(number)
    return taken


def _class(relay: Relay) -> int:
    """PostgreSQL's number for the relay: positive, so that it reads the same signed or not."""
    return zlib.crc32(f"digest.berth:{relay.name}".encode()) >> 1


def _lock(relay: Relay, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [_class(relay), number])
        row = cursor.fetchone()
    return bool(row and row[0])


def _leave(relay: Relay, number: int) -> None:
    # A connection that broke took its locks with it.
    if connection.connection is None or connection.connection.closed:
        return
    with connection.cursor() as cursor:
        cursor.execute(_UNLOCK, [_class(relay), number])
