"""Keep a lane's position in an edition's queue, and the window that it claimed ahead."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from django.db import Error

from digest.delivery.claim import (
    FRONT,
    Claimant,
    PendingClaim,
    Position,
    RowOutcome,
    Window,
    released,
)


class _UnderWay(NamedTuple):
    claiming: PendingClaim
    outcomes: list[RowOutcome]
    after: Position
    now: datetime
    as_of: float


class ClaimCursor:
    """Claims window after window for one lane, and records outcomes in the same statements.

    `outcomes` are the outcomes that the next claim records. They are kept until it has: where the
    statement fails (for example by a deadlock), they are recorded again.
    """

    def __init__(self, claimant: Claimant, clock: Callable[[], datetime]) -> None:
        self.claimant, self.clock = claimant, clock
        self.outcomes: list[RowOutcome] = []
        # Where the next claim goes on, and whether the last claim began at the front of the queue.
        self.place, self.is_swept = FRONT, False
        # When the present window was claimed: by the clock, and by time.monotonic.
        self.claimed_at, self.as_of = clock(), 0.0
        self._under_way: _UnderWay | None = None
        # The window that was claimed ahead, if any.
        self._ahead: list[Window] = []

    @property
    def is_ahead(self) -> bool:
        """Whether a window was claimed that `next` has not returned yet."""
        return self._under_way is not None or bool(self._ahead)

    def claim_ahead(self, limit: int) -> None:
        """Let PostgreSQL claim a window while this process is busy with the wire.

        An error is ignored, because `next` then claims again.
        """
        with suppress(Error):
            self._begin(limit)

    def _begin(self, limit: int) -> None:
        now, as_of = self.clock(), time.monotonic()
        claiming = PendingClaim(
            self.claimant, outcomes=self.outcomes, after=self.place, limit=limit, now=now
        )
        self._under_way = _UnderWay(claiming, self.outcomes, self.place, now, as_of)
        self.outcomes = []

    def next(self, limit: int) -> Window:
        """Return the window that was claimed ahead, or claim one of at most `limit` readers.

        Raises:
            django.db.Error: As far as the lane can know, nothing was claimed or recorded.
        """
        if not self.is_ahead:
            self._begin(limit)
        self._finish_claim()
        return self._ahead.pop()

    def finish_claim(self) -> None:
        """Finish the claim under way, so that the connection is free for another statement.

        An error is ignored: that statement, or the next claim, meets it as well.
        """
        with suppress(Error):
            self._finish_claim()

    def _finish_claim(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return
        try:
            window = under_way.claiming.window()
        except Error:
            self.outcomes = under_way.outcomes + self.outcomes
            raise
        # The claim did not see the rows that it released itself.
        has_released = any(entry.is_released for entry in under_way.outcomes)
        self.place = FRONT if has_released else window.place
        self.is_swept = under_way.after == FRONT and not has_released
        self.claimed_at, self.as_of = under_way.now, under_way.as_of
        self._ahead = [window]

    def release_ahead(self) -> None:
        """Release the readers who were claimed ahead, because the lane ends.

        Raises:
            django.db.Error: As in `next`.
        """
        self._finish_claim()
        for window in self._ahead:
            self.outcomes.extend(released(row.delivery_id) for row in window.rows)
        self._ahead = []
