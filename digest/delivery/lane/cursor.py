"""Keep a lane's position in an edition's queue, and the window that it claimed ahead."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from django.db import Error

from digest.delivery.lane.claim import (
    FRONT,
    Claimant,
    PendingClaim,
    Position,
    RowOutcome,
    Window,
    released,
)


class _Pending(NamedTuple):
    claim: PendingClaim
    outcomes: list[RowOutcome]
    after: Position
    now: datetime
    as_of: float


class ClaimCursor:
    """Claims window after window for one lane, and records outcomes in the same statements.

    `outcomes` are the outcomes that the next claim records. They are kept until it has done so. If
    its statement fails (for example by a deadlock), the claim after it records them.
    """

    def __init__(self, claimant: Claimant, clock: Callable[[], datetime]) -> None:
        self.claimant, self.clock = claimant, clock
        self.outcomes: list[RowOutcome] = []
        # The position behind which the next claim searches, and whether the last claim, if it found
        # no reader, had searched the whole queue.
        self.position, self.searched_all = FRONT, False
        # When the present window was claimed: by the clock, and by time.monotonic.
        self.claimed_at, self.as_of = clock(), 0.0
        self._pending: _Pending | None = None
        # The window that was claimed ahead, if any.
        self._ahead: list[Window] = []

    @property
    def is_ahead(self) -> bool:
        """Whether a window was claimed that `next` has not returned yet."""
        return self._pending is not None or bool(self._ahead)

    def claim_ahead(self, limit: int) -> None:
        """Let PostgreSQL claim a window while this process is busy with the wire.

        An error is ignored, because `next` then claims again.
        """
        with suppress(Error):
            self._begin_claim(limit)

    def _begin_claim(self, limit: int) -> None:
        now, as_of = self.clock(), time.monotonic()
        claim = PendingClaim(
            self.claimant, outcomes=self.outcomes, after=self.position, limit=limit, now=now
        )
        self._pending = _Pending(claim, self.outcomes, self.position, now, as_of)
        self.outcomes = []

    def next(self, limit: int) -> Window:
        """Return the window that was claimed ahead, or claim one of at most `limit` readers.

        Raises:
            django.db.Error: As far as the lane can know, nothing was claimed or recorded.
        """
        if not self.is_ahead:
            self._begin_claim(limit)
        self._finish_claim()
        return self._ahead.pop()

    def finish_claim(self) -> None:
        """Finish the pending claim, so that the connection is free for another statement.

        An error is ignored: that statement, or the next claim, meets it as well.
        """
        with suppress(Error):
            self._finish_claim()

    def _finish_claim(self) -> None:
        pending, self._pending = self._pending, None
        if pending is None:
            return
        try:
            window = pending.claim.window()
        except Error:
            self.outcomes = pending.outcomes + self.outcomes
            raise
        # The claim did not see the rows that it released itself.
        has_released = any(outcome.is_released for outcome in pending.outcomes)
        self.position = FRONT if has_released else window.position
        self.searched_all = pending.after == FRONT and not has_released
        self.claimed_at, self.as_of = pending.now, pending.as_of
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
