"""Define one reader's row of the ledger as a lane holds it, and how many rows it holds at most."""

from __future__ import annotations

from typing import NamedTuple

# At most this many readers are uncertain after a crash.
WINDOW = 20


class Claimed(NamedTuple):
    """One reader's row, marked as being on the wire."""

    delivery_id: int
    subscription_id: int
    email: str
    name: str
    muted_sections: frozenset[int]
    attempts: int
    # The row was postponed before because of its domain's rate.
    throttled: bool = False
    # The relay's refusal of this row held the edition before, and an editor resumed the edition.
    refused: bool = False
