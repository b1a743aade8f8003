"""Send an edition over one connection for half a minute."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum

from django.db.models import F

from digest.delivery import berths, drain, plan
from digest.delivery.claim import Claimed, Record, claim, record, released, still_due
from digest.delivery.outgoing import NoConnection, RelayRefuses
from digest.delivery.replies import Outcome, Verdict
from digest.delivery.smtp import Connection
from digest.models import Delivery, Edition, Frozen
from digest.rendering.envelope import verp_sender
from digest.rendering.headers import UnsafeHeader
from digest.rendering.personalise import Reader, personalise
from digest.rendering.readers import reader_for
from subscribers.models import Suppression
from subscribers.relays import Relay
from subscribers.suppression import suppress

logger = logging.getLogger(__name__)

# A fresh task then takes over, so that workers restart and editions share them fairly.
LANE_SECONDS = 30.0
# No message of a window is begun later than this after the claim; see recover.LEASE.
WINDOW_SECONDS = 60.0
# How long a reader's status is trusted. An unsubscribe is to be effective at once; one more query
# in this time costs nothing on a slow relay, and on a fast one a window takes no longer.
TRUST_SECONDS = 0.05
# What a stop leaves for the window on the wire; promised are ten seconds in all.
DRAIN_SECONDS = 4.0
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=60), timedelta(minutes=20)

_Status, _Reason = Delivery.Status, Delivery.Reason


class End(Enum):
    """Why the lane ended."""

    MORE = "its time is over and readers are left: a fresh lane takes over"
    DONE = "nobody is due"
    STOPPED = "the worker stops"
    HELD = "the relay refuses our mail"
    NO_CONNECTION = "no connection; a later tick tries again"
    NO_BERTH = "all connections are in use"


def run(*, edition_id: int, lane: str, clock: Callable[[], datetime]) -> End:
    """Claim, send and record until nobody is due, half a minute is over or the worker stops.

    `lane` names the rows' claimant (the task's id). Safe to run any number of times at once.
    """
    with berths.berth() as relay, drain.sigterm_waits():
        if relay is None:
            return End.NO_BERTH
        frozen = Frozen.objects.filter(
            edition=edition_id,
            edition__status=Edition.Status.SENDING,
            revision=F("edition__revision"),
        ).first()
        end = _Lane(edition_id, lane, relay, clock, frozen).run() if frozen else End.DONE
    if end is End.DONE:
        plan.finish_if_done(edition_id=edition_id, now=clock())
    return end


class _Lane:
    """What one run of a lane knows."""

    def __init__(
        self,
        edition_id: int,
        name: str,
        relay: Relay,
        clock: Callable[[], datetime],
        frozen: Frozen,
    ) -> None:
        self.edition_id, self.name, self.relay = edition_id, name, relay
        self.clock, self.frozen = clock, frozen
        self.ends_at = time.monotonic() + LANE_SECONDS
        self.stop_seen: float | None = None
        # Why the edition must be held, and the words for its editors.
        self.fault: tuple[str, str] | None = None
        # Outcomes of the present window, written by the next claim.
        self.records: list[Record] = []

    def run(self) -> End:
        try:
            end = self._reconnecting()
        except RelayRefuses as refused:
            self.fault, end = (Edition.Reason.REFUSED, str(refused)), End.HELD
        except NoConnection as error:
            logger.warning("Edition %s waits, no connection: %s", self.edition_id, error)
            end = End.NO_CONNECTION
        finally:
            record(lane=self.name, records=self.records, now=self.clock())
        if self.fault:
            reason, detail = self.fault
            plan.hold_sending(
                edition_id=self.edition_id, reason=reason, detail=detail, now=self.clock()
            )
            return End.HELD
        return end

    def _reconnecting(self) -> End:
        """Connect again where a relay closes after so many messages, as many do."""
        while True:
            with Connection(self.relay, give_up=self._must_drop) as connection:
                end = self._send_windows(connection)
                if end is not End.NO_CONNECTION or not connection.accepted:
                    return end

    def _send_windows(self, connection: Connection) -> End:
        while connection.is_open:
            if self._stopping():
                return End.STOPPED
            if time.monotonic() > self.ends_at:
                return End.MORE
            records = self.records
            window = claim(
                edition_id=self.edition_id, lane=self.name, records=records, now=self.clock()
            )
            # Only now: where the statement failed (a deadlock, say), `run` records them once more.
            self.records = []
            if not window.looked_at:
                # The claim did not see the rows that it put back itself.
                if any(entry.is_released for entry in records):
                    continue
                return End.DONE
            self._send_window(connection, window.rows)
            if self.fault:
                return End.HELD
            if window.rows and not any(self._was_final(entry) for entry in self.records):
                # The relay puts everything off: leave it in peace until the next tick.
                return End.NO_CONNECTION
        return End.NO_CONNECTION

    def _send_window(self, connection: Connection, rows: Sequence[Claimed]) -> None:
        claimed = trusted = time.monotonic()
        left = {row.delivery_id: row for row in rows}
        try:
            for row in rows:
                if self.fault or not connection.is_open or self._must_drop():
                    return
                began = time.monotonic()
                if began - claimed > WINDOW_SECONDS:
                    return
                if began - trusted > TRUST_SECONDS:
                    self._look_again(left)
                    trusted = began
                if left.pop(row.delivery_id, None):
                    self.records.append(self._send(connection, row))
        finally:
            # Also when something breaks that nobody thought of: these were never on the wire.
            self.records.extend(released(pk) for pk in left)

    def _look_again(self, left: dict[int, Claimed]) -> None:
        """Drop from `left` who has gone since the claim."""
        still = still_due(lane=self.name, delivery_ids=list(left), now=self.clock())
        for pk in list(left):
            reason = still.get(pk)
            if reason:
                self.records.append(Record(pk, _Status.SKIPPED, reason, counts=False))
            elif reason is None:
                # Not ours any more, or the edition stopped: recording is guarded by both.
                self.records.append(released(pk))
            if reason != "":
                del left[pk]

    def _send(self, connection: Connection, row: Claimed) -> Record:
        now = self.clock()
        try:
            message = personalise(self.frozen, self._reader(row, now))
        except UnsafeHeader as error:
            return Record(row.delivery_id, _Status.FAILED, _Reason.REFUSED, str(error)[:300])
        except Exception as error:
            # A fault of ours that each lane would meet again, before the same reader.
            logger.exception("Edition %s: no message for %s", self.edition_id, row.delivery_id)
            self.fault = Edition.Reason.NOT_SENDABLE, f"{type(error).__name__}: {error}"
            return released(row.delivery_id)
        if message is None:
            return Record(row.delivery_id, _Status.SKIPPED, _Reason.MUTED, counts=False)
        outcome = connection.send(
            sender=verp_sender(self.edition_id, row.subscription_id),
            recipient=row.email,
            message=message,
        )
        if outcome.verdict is Verdict.NOT_SENT and not connection.accepted:
            # Readers go in id order: one at whom the relay hangs up must not stand before all
            # others for ever. It is no attempt, only somebody else's turn.
            return Record(
                row.delivery_id, _Status.PENDING, reply=outcome.reply,
                next_attempt_at=now + FIRST_RETRY, counts=False,
            )  # fmt: skip
        return self._record(row, outcome)

    def _reader(self, row: Claimed, now: datetime) -> Reader:
        return reader_for(
            edition_id=self.edition_id,
            subscription_id=row.subscription_id,
            email=row.email,
            name=row.name,
            muted_sections=row.muted_sections,
            date=now,
        )

    def _record(self, row: Claimed, outcome: Outcome) -> Record:
        """Translate the verdict into the ledger's words, and act on it."""
        pk, reply, now = row.delivery_id, outcome.reply, self.clock()
        match outcome.verdict:
            case Verdict.ACCEPTED:
                return Record(pk, _Status.SENT, reply=reply)
            case Verdict.LATER:
                next_attempt_at = now + backoff(row.attempts + 1)
                return Record(pk, _Status.PENDING, reply=reply, next_attempt_at=next_attempt_at)
            case Verdict.NO_SUCH_ADDRESS:
                reason = Suppression.Reason.BOUNCE
                suppress(email=row.email, reason=reason, detail=reply, now=now)
                return Record(pk, _Status.FAILED, _Reason.BAD_ADDRESS, reply)
            case Verdict.REFUSED:
                return Record(pk, _Status.FAILED, _Reason.REFUSED, reply)
            case Verdict.SENDERS_FAULT:
                self.fault = Edition.Reason.REFUSED, reply
                return Record(pk, _Status.PENDING, reply=reply, counts=False)
            case Verdict.UNKNOWN:
                next_attempt_at = now + backoff(row.attempts + 1)
                return Record(pk, _Status.UNCERTAIN, reply=reply, next_attempt_at=next_attempt_at)
            case Verdict.NOT_SENT:
                return Record(pk, _Status.PENDING, reply=reply, counts=False)

    def _was_final(self, entry: Record) -> bool:
        return entry.status != _Status.PENDING

    def _stopping(self) -> bool:
        if self.stop_seen is None and drain.is_asked():
            self.stop_seen = time.monotonic()
        return self.stop_seen is not None

    def _must_drop(self) -> bool:
        """Whether a stop leaves no time for the rest of the window."""
        return self._stopping() and time.monotonic() > (self.stop_seen or 0) + DRAIN_SECONDS


def backoff(attempt: int) -> timedelta:
    """How long to wait after so many attempts: doubling from a minute, and never in step."""
    whole: timedelta = min(FIRST_RETRY * 2 ** min(attempt - 1, 10), LONGEST_RETRY)
    # So that thousands of readers put off at once do not come back at once.
    return whole * random.uniform(0.5, 1)  # noqa: S311 (no secret)
