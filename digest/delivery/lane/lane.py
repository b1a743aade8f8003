"""Send an edition over one connection for half a minute."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from enum import Enum

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from digest.delivery.lane import shutdown
from digest.delivery.lane.claim import Claimant
from digest.delivery.lane.cpu_priority import batch_scheduling
from digest.delivery.lane.cursor import ClaimCursor
from digest.delivery.lane.db_session import lane_session
from digest.delivery.lane.outbox import Outbox
from digest.delivery.lane.prepared import finish_first
from digest.delivery.ledger import WINDOW
from digest.delivery.pacing import circuit_breaker, connection_slots
from digest.delivery.pacing.rate_limit import Admission, RateLimiter
from digest.delivery.planning import due, finish, start
from digest.delivery.transport.base import NoConnection, RelayRefuses, Transport
from digest.delivery.transport.connect import connect
from digest.editions.decide import audience
from digest.models import Edition
from digest.rendering.page_cache import compiled_page
from digest.rendering.personalise import CompiledPage
from subscribers.mail.relays import Relay

logger = logging.getLogger(__name__)

# After this a new task takes over, so that workers can restart and editions share them fairly.
LANE_SECONDS = 30.0
# How long a stopping lane may work on the window on the wire. The promise is ten seconds in all.
DRAIN_SECONDS = 4.0
# How many times in a row a relay may disconnect before it answers for a message. After each time
# another reader comes first. A relay that could not handle what it offers gets a simpler mode.
MAX_DISCONNECTS = 3
# A lane waits this many seconds, at most, for readers who are not due yet.
SHORT_WAIT_SECONDS = 5.0
# How often, in seconds, a waiting lane checks whether its worker stops.
_POLL_SECONDS = 0.25


class End(Enum):
    """Why the lane ended."""

    MORE = "its time is over and readers are left: a new lane takes over"
    DONE = "nobody is due"
    STOPPED = "the worker stops"
    HELD = "the relay refuses our mail"
    NO_CONNECTION = "no relay can be reached; a later tick tries again"
    NO_CONNECTION_SLOT = "all connections are in use"


def run_lane(*, edition_id: int, lane: str, clock: Callable[[], datetime]) -> End:
    """Claim, send and record until no reader is due, half a minute is over or the worker stops.

    `lane` names the claimant on the rows; each name is used once. Any number of lanes can run at
    the same time. If a relay cannot be reached, the next one takes over.
    """
    with shutdown.defer_sigterm(), batch_scheduling():
        end = _try_relays(edition_id, lane, clock)
    if end is End.DONE:
        finish.finish_if_done(edition_id=edition_id, now=clock())
    return end


def _try_relays(edition_id: int, lane: str, clock: Callable[[], datetime]) -> End:
    tried: set[str] = set()
    refusal: str | None = None
    while True:
        with connection_slots.acquire(avoid=tried) as relay:
            if relay is None:
                break
            edition = _sending_edition(edition_id)
            if edition is None:
                return End.DONE
            frequencies = audience.frequencies(edition)
            claimant = Claimant(
                edition_id, edition.revision, lane, relay.name, frequencies, edition.is_extra
            )
            try:
                end = _Lane(claimant, relay, _page(claimant), clock).run()
            except RelayRefuses as refused:
                refusal, end = str(refused), End.NO_CONNECTION
                circuit_breaker.record_failure(relay)
            except _Unreadable as error:
                return _hold(edition_id, Edition.Reason.NOT_SENDABLE, str(error), clock)
            tried.add(relay.name)
        if end is not End.NO_CONNECTION:
            return end
    if refusal is not None and len(tried) == len(settings.EMAIL_RELAYS):
        return _hold(edition_id, Edition.Reason.REFUSED, refusal, clock)
    return End.NO_CONNECTION if tried else End.NO_CONNECTION_SLOT


class _Unreadable(Exception):
    """No messages can be made from the frozen page; every lane would fail in the same way."""


def _page(claimant: Claimant) -> CompiledPage:
    try:
        return compiled_page(edition_id=claimant.edition_id, revision=claimant.revision)
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("Edition %s has no page to send", claimant.edition_id)
        raise _Unreadable(f"{type(error).__name__}: {error}") from error


def _hold(edition_id: int, reason: str, detail: str, clock: Callable[[], datetime]) -> End:
    start.hold_sending(edition_id=edition_id, reason=reason, detail=detail, now=clock())
    return End.HELD


def _sending_edition(edition_id: int) -> Edition | None:
    return Edition.objects.filter(pk=edition_id, status=Edition.Status.SENDING).first()


class _Lane:
    """The part of a lane's run that uses one relay."""

    def __init__(
        self, claimant: Claimant, relay: Relay, page: CompiledPage, clock: Callable[[], datetime]
    ) -> None:
        self.claimant, self.relay, self.page, self.clock = claimant, relay, page, clock
        self.rate_limiter = RateLimiter(relay)
        self.ends_at = time.monotonic() + LANE_SECONDS
        self.stop_seen: float | None = None
        self.cursor = ClaimCursor(claimant, clock)

    def run(self) -> End:
        """Send over the relay.

        Raises:
            RelayRefuses: The relay does not accept our mail at all.
        """
        outbox = Outbox(self.cursor, self.page, self.rate_limiter, self.clock, self._must_drop)
        with (
            lane_session(self.claimant.lane),
            connection.execute_wrapper(finish_first(self.cursor.finish_claim)),
        ):
            try:
                end = self._send_over_connections(outbox)
            except NoConnection as error:
                logger.warning("Edition %s is waiting: %s", self.claimant.edition_id, error)
                circuit_breaker.record_failure(self.relay)
                end = End.NO_CONNECTION
            except (OperationalError, InterfaceError) as error:
                logger.warning("Edition %s, the database: %s", self.claimant.edition_id, error)
                outbox.flush()
                self.cursor.release_unseen()
                end = End.MORE
            finally:
                outbox.flush()
        if outbox.fault:
            return _hold(self.claimant.edition_id, *outbox.fault, self.clock)
        return end

    def _send_over_connections(self, outbox: Outbox) -> End:
        """Send; connect again if the relay closes after some number of messages, as many do."""
        frozen = self.page.frozen
        disconnects = 0
        while disconnects < MAX_DISCONNECTS:
            outbox.begin_connection()
            with connect(self.relay, should_stop=self._must_drop, frozen=frozen) as transport:
                circuit_breaker.record_success(self.relay)
                try:
                    end = self._send_windows(transport, outbox)
                finally:
                    outbox.settle(transport)
            if end is not None:
                return end
            disconnects = 0 if outbox.answered else disconnects + 1
        raise NoConnection(f"{self.relay.name} disconnects before it answers for a message")

    def _send_windows(self, transport: Transport, outbox: Outbox) -> End | None:
        """Send window after window; return why the lane ends, or None if the connection ends."""
        admission = self.rate_limiter.admit([], now=self.clock())
        try:
            while transport.is_open:
                if admission.wait:
                    self._wait(admission.wait, transport, outbox)
                if end := self._reason_to_end(admission, outbox):
                    return end
                window = self.cursor.next(min(transport.batch, admission.limit))
                if not window.examined and self._is_done(transport, outbox):
                    return End.DONE
                admission = self.rate_limiter.admit(window.rows, now=self.clock())
                outbox.postpone(admission)
                self._send_window(admission, transport, outbox)
                outbox.settle(transport, unanswered=WINDOW - transport.batch)
        finally:
            self.cursor.release_ahead()
        return None

    def _send_window(self, admission: Admission, transport: Transport, outbox: Outbox) -> None:
        """Send a window; before its last readers are sent, begin to claim the next window.

        If many messages are unanswered, the next window is not claimed ahead: the wire stays busy
        while the lane waits for a claim. At most WINDOW readers are claimed and not yet recorded;
        these are the readers whom a crash leaves uncertain.
        """
        rows, as_of = admission.admitted, self.cursor.as_of
        limit = min(transport.batch, admission.limit)
        last = max(0, len(rows) - max(0, WINDOW - limit - len(outbox.on_wire)))
        outbox.put(transport, rows[:last], as_of=as_of)
        may_wait = admission.wait or admission.is_full or self._is_stopping()
        claimed = len(outbox.on_wire) + len(rows) - last
        if rows and not may_wait and claimed + limit <= WINDOW:
            self.cursor.claim_ahead(limit)
        outbox.put(transport, rows[last:], as_of=as_of)

    def _reason_to_end(self, admission: Admission, outbox: Outbox) -> End | None:
        if outbox.fault:
            return End.HELD
        if self._is_stopping():
            return End.STOPPED
        if outbox.reconnected:
            return End.MORE
        if admission.is_full:
            return End.NO_CONNECTION
        if outbox.every_message_is_deferred:
            raise NoConnection(f"{self.relay.name} defers every message")
        return End.MORE if time.monotonic() > self.ends_at else None

    def _is_done(self, transport: Transport, outbox: Outbox) -> bool:
        """Whether the lane is done, after a claim that found no reader.

        It is not done if that claim had not searched the whole queue, or if a reader is due soon:
        then the method waits for that reader.
        """
        if outbox.on_wire:
            outbox.settle(transport)
            return False
        searched_all = self.cursor.searched_all
        self.cursor.start_over()
        if not searched_all:
            return False
        # Readers of a domain with a rate are postponed by some seconds. A lane that left them to
        # the next tick would use only a fraction of that rate.
        due_at = due.next_due(self.claimant.edition_id)
        # A row that was due before the claim and was not claimed is not for this lane: the edition
        # was stopped, or another lane holds the row.
        if due_at is None or due_at <= self.cursor.claimed_at:
            return True
        seconds = (due_at - self.clock()).total_seconds()
        if seconds <= SHORT_WAIT_SECONDS:
            self._wait(seconds, transport, outbox)
        return seconds > SHORT_WAIT_SECONDS

    def _wait(self, seconds: float, transport: Transport, outbox: Outbox) -> None:
        """Take all answers and record all outcomes, then wait until the time is over or a stop."""
        outbox.settle(transport)
        outbox.flush()
        until = min(time.monotonic() + seconds, self.ends_at)
        while not self._is_stopping() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS))

    def _is_stopping(self) -> bool:
        if self.stop_seen is None and shutdown.is_requested():
            self.stop_seen = time.monotonic()
        return self.stop_seen is not None

    def _must_drop(self) -> bool:
        """Whether a stop leaves no time for the rest of the window."""
        return self._is_stopping() and time.monotonic() > (self.stop_seen or 0) + DRAIN_SECONDS
