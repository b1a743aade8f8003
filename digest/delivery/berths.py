"""Let no more lanes of an edition run than the relays take connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from subscribers.relays import Relay

# An advisory lock lives as long as the database session that took it, so a lane that is killed
# frees its berth with no clean-up and no lease to wait for.
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


def relays() -> list[Relay]:
    """The relay of each berth."""
    return [relay for relay in settings.EMAIL_RELAYS for _ in range(relay.connections)]


@contextmanager
def berth(edition_id: int) -> Iterator[Relay | None]:
    """Hold a free berth of the edition and give its relay; None where all are taken."""
    for number, relay in enumerate(relays()):
        if _try(edition_id, number):
            try:
                yield relay
            finally:
                _leave(edition_id, number)
            return
    yield None


def free(edition_id: int) -> int:
    """How many lanes could start now."""
    taken = 0
    for number in range(len(relays())):
        if _try(edition_id, number):
            _leave(edition_id, number)
        else:
            taken += 1
    return len(relays()) - taken


def _try(edition_id: int, number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [f"digest.lane:{edition_id}:{number}"])
        row = cursor.fetchone()
    return bool(row and row[0])


def _leave(edition_id: int, number: int) -> None:
    # A connection that broke took its locks with it.
    if connection.connection is None or connection.connection.closed:
        return
    with connection.cursor() as cursor:
        cursor.execute(_UNLOCK, [f"digest.lane:{edition_id}:{number}"])
