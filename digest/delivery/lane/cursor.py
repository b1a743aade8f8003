"""Keep a lane's position in an edition's queue, the window claimed ahead, and its outcomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
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
    record,
    release_unseen,
    released,
    skip_reasons,
)


class _Pending(NamedTuple):
    claim: PendingClaim
    outcomes: list[RowOutcome]
    after: Position
    now: datetime
    as_of: float


class ClaimCursor:
    """Claims window after window for one lane, and records outcomes in the same statements.

    Whoever has a row's outcome gives it to `keep` or `release`; the next claim records it. If
    that statement fails (for example by a deadlock), the claim after it records the same outcomes.
    """

    def __init__(self, claimant: Claimant, clock: Callable[[], datetime]) -> None:
        self.claimant, self.clock = claimant, clock
        # The outcomes that no statement has recorded yet.
        self._outcomes: list[RowOutcome] = []
        # The position behind which the next claim searches, and whether the last claim, if it found
        # no reader, had searched the whole queue.
        self._position, self.searched_all = FRONT, False
        # When the present window was claimed: by the clock, and by time.monotonic.
        self.claimed_at, self.as_of = clock(), 0.0
        self._pending: _Pending | None = None
        # The window that was claimed ahead, if any.
        self._ahead: list[Window] = []

    @property
    def is_ahead(self) -> bool:
        """Whether a window was claimed that `next` has not returned yet."""
        return self._pending is not None or bool(self._ahead)

    @property
    def has_outcomes(self) -> bool:
        """Whether there are outcomes to record, besides those of a pending claim."""
        return bool(self._outcomes)

    def keep(self, outcome: RowOutcome) -> None:
        """Keep the outcome of a row that `next` returned, until a statement has recorded it."""
        self._outcomes.append(outcome)

    def release(self, delivery_ids: Iterable[int]) -> None:
        """Put rows that were never on the wire back into the queue, as if never claimed."""
        self._outcomes.extend(released(pk) for pk in delivery_ids)

    def record(self) -> None:
        """Record the outcomes now and not with the next claim.

        Raises:
            django.db.Error: They are kept.
        """
        # If the pending claim has failed, its outcomes are among those to record here.
        self.finish_claim()
        record(lane=self.claimant.lane, outcomes=self._outcomes, now=self.clock())
        self._outcomes = []

    def skip_reasons(self, delivery_ids: Sequence[int]) -> dict[int, str]:
        """Return for each row that the lane still holds why it must be skipped (as in `claim`)."""
        self.finish_claim()
        return skip_reasons(self.claimant, delivery_ids=delivery_ids, now=self.clock())

    def release_unseen(self) -> None:
        """Release the rows of a claim whose answer was lost with the database connection.

        Call it only once `record` has succeeded, with nothing on the wire.
        """
        release_unseen(lane=self.claimant.lane)

    def start_over(self) -> None:
        """Let the next claim search from the front of the queue."""
        self._position = FRONT

    def claim_ahead(self, limit: int) -> None:
        """Let PostgreSQL claim a window while this process is busy with the wire.

        An error is ignored, because `next` then claims again.
        """
        with suppress(Error):
            self._begin_claim(limit)

    def _begin_claim(self, limit: int) -> None:
        now, as_of = self.clock(), time.monotonic()
        claim = PendingClaim(
            self.claimant, outcomes=self._outcomes, after=self._position, limit=limit, now=now
        )
        self._pending = _Pending(claim, self._outcomes, self._position, now, as_of)
        self._outcomes = []

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
            self._outcomes = pending.outcomes + self._outcomes
            raise
        # The claim did not see the rows that it released itself.
        has_released = any(outcome.is_released for outcome in pending.outcomes)
        self._position = FRONT if has_released else window.position
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
            self.release(row.delivery_id for row in window.rows)
        self._ahead = []
