"""Open the ledger of consent for the two changes that the law asks for, and for no other.

A trigger in the database refuses to change or delete a row of it (migration 0003), whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def erasing() -> Iterator[None]:
    """In here rows may be deleted: a person who is erased leaves none."""
    with _opened("erase"):
        yield


@contextmanager
def fading() -> Iterator[None]:
    """In here the network address and the client's name may be emptied, and nothing else."""
    with _opened("fade"):
        yield


@contextmanager
def _opened(purpose: str) -> Iterator[None]:
    # For the transaction alone: a connection that goes back to a pool is closed to everybody.
    with transaction.atomic():
        _say(purpose)
        yield
        _say("")


def _say(purpose: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('daybreak.ledger', %s, true)", [purpose])
