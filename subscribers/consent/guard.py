"""Allow the two changes of the ledger of consent that the law requires, and no other.

A trigger in the database (migration 0002) refuses to change or delete its rows, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def erasing() -> Iterator[None]:
    """Allow rows to be deleted in this block: an erased person leaves none."""
    with _permitted("erase"):
        yield


@contextmanager
def anonymising() -> Iterator[None]:
    """Allow the network address and the client's name to be emptied in this block, nothing else."""
    with _permitted("anonymise"):
        yield


@contextmanager
def _permitted(purpose: str) -> Iterator[None]:
    # The permission ends with the transaction: a connection that returns to a pool allows nothing.
    with transaction.atomic():
        _set_purpose(purpose)
        yield
        _set_purpose("")


def _set_purpose(purpose: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('daybreak.ledger', %s, true)", [purpose])
