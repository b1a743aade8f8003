"""Put claimed readers' messages on the wire, and tell what each outcome means for its row."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection

from digest.delivery.lane.claim import RowOutcome
from digest.delivery.lane.cursor import ClaimCursor
from digest.delivery.ledger import WINDOW, Claimed
from digest.delivery.pacing.rate_limit import Admission, RateLimiter
from digest.delivery.transport.base import Outgoing, Transport
from digest.delivery.transport.replies import SendOutcome, Verdict
from digest.models import Delivery, Edition
from digest.rendering.headers import UnsafeHeader
from digest.rendering.personalise import CompiledPage
from digest.rendering.readers import ReaderSigner
from subscribers.consent.suppression import suppress
from subscribers.models import Suppression

logger = logging.getLogger(__name__)

# No message of a window is begun later than this after the claim; see `recover.LEASE`.
WINDOW_SECONDS = 60.0
# How long a reader's status is trusted, because an unsubscribe is to take effect immediately. On a
# slow relay another query after this time costs nothing. On a fast one a window takes no longer.
TRUST_SECONDS = 0.05
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=60), timedelta(minutes=20)
# The relay itself is the cause if a whole window of retried readers is deferred, and these readers
# belong to at least this many domains.
_DOMAINS = 3
# How many messages are made before they are sent. If messages are made and sent one by one, neither
# step finds its code and data in the processor's caches. A whole window of messages of 45 KB each
# does not fit in the caches.
_GROUP = 5
# How long outcomes are kept while the database cannot be reached.
RECORD_SECONDS = 60.0

_Status, _Reason = Delivery.Status, Delivery.Reason


class Outbox:
    """One lane's messages on the wire; the cursor records their outcomes with the next claim."""

    def __init__(
        self,
        cursor: ClaimCursor,
        page: CompiledPage,
        rate_limiter: RateLimiter,
        clock: Callable[[], datetime],
        must_drop: Callable[[], bool],
    ) -> None:
        self.cursor = cursor
        self.edition_id = cursor.claimant.edition_id
        self.page, self.rate_limiter = page, rate_limiter
        self.clock, self.must_drop = clock, must_drop
        self.signer = ReaderSigner(self.edition_id)
        self.on_wire: dict[int, Claimed] = {}
        # When the status of the present rows was read (time.monotonic).
        self.trusted = 0.0
        # The reason why the edition must be held, and the detail for its editors.
        self.fault: tuple[str, str] | None = None
        # Domain and attempts of the readers deferred since the relay last gave a final answer.
        self.deferred: list[tuple[str, int]] = []
        # Addresses that do not exist and are not suppressed yet, each with the server's reply.
        self.bounced: list[tuple[str, str]] = []
        # Whether the database connection was replaced. The new database session holds neither the
        # lane's lock nor its connection slot.
        self.reconnected = False
        self.begin_connection()

    def begin_connection(self) -> None:
        """Begin to count the relay's answers again."""
        self.answered = 0
        self.has_moved_one = False

    # --- Onto the wire ---

    def put(self, transport: Transport, rows: Sequence[Claimed], *, as_of: float) -> None:
        """Hand over the messages of rows whose status was read at `as_of` (time.monotonic)."""
        self.trusted = as_of
        left = {row.delivery_id: row for row in rows}
        try:
            for first in range(0, len(rows), _GROUP):
                if not self._may_go_on(transport):
                    break
                self._put_group(transport, rows[first : first + _GROUP], left, as_of)
        finally:
            # The rows that are left were never on the wire, also after an unexpected error.
            self.cursor.release(left)

    def _put_group(
        self,
        transport: Transport,
        rows: Sequence[Claimed],
        left: dict[int, Claimed],
        as_of: float,
    ) -> None:
        rows = [row for row in rows if row.delivery_id in left]
        for row, outgoing in self._make_messages(rows, left):
            if not self._may_go_on(transport):
                return
            transport.ready()
            began = time.monotonic()
            if began - as_of > WINDOW_SECONDS:
                return
            if began - self.trusted > TRUST_SECONDS:
                self._recheck(left)
                self.trusted = began
            if left.pop(row.delivery_id, None):
                self.on_wire[row.delivery_id] = row
                transport.put(outgoing)
                # Read the outcomes known by now: no other message goes to a relay that refuses our
                # mail.
                self.settle(transport, unanswered=WINDOW)

    def _may_go_on(self, transport: Transport) -> bool:
        return not self.fault and transport.is_open and not self.must_drop()

    def postpone(self, admission: Admission) -> None:
        """Postpone the rows of domains at their rate, and release those beyond the relay's rate."""
        for row, until in admission.throttled:
            reason = _Reason.THROTTLED
            self.cursor.keep(
                RowOutcome(row.delivery_id, _Status.PENDING, reason, "", until, is_attempt=False)
            )
        self.cursor.release(row.delivery_id for row in admission.released)

    def _recheck(self, left: dict[int, Claimed]) -> None:
        """Remove from `left` the readers who may not get the edition any more."""
        reasons = self.cursor.skip_reasons(list(left))
        for pk in list(left):
            reason = reasons.get(pk)
            if reason:
                self.cursor.keep(RowOutcome(pk, _Status.SKIPPED, reason, is_attempt=False))
            elif reason is None:
                # The lane lost the row, or the edition was stopped. A release is safe in both
                # cases, because recording is guarded (see claim).
                self.cursor.release([pk])
            if reason != "":
                del left[pk]

    def _make_messages(
        self, rows: Sequence[Claimed], left: dict[int, Claimed]
    ) -> list[tuple[Claimed, Outgoing]]:
        """Make the messages; rows that get none are recorded and taken out of `left`."""
        made, date = [], self.clock()
        for row in rows:
            outgoing = self._make_message(row, date)
            if isinstance(outgoing, RowOutcome):
                self.cursor.keep(outgoing)
                del left[row.delivery_id]
            else:
                made.append((row, outgoing))
        return made

    def _make_message(self, row: Claimed, date: datetime) -> Outgoing | RowOutcome:
        pk = row.delivery_id
        try:
            reader = self.signer.reader(
                subscription_id=row.subscription_id,
                email=row.email,
                name=row.name,
                muted_sections=row.muted_sections,
                date=date,
            )
            message = self.page.message(reader)
        except UnsafeHeader as error:
            return RowOutcome(pk, _Status.FAILED, _Reason.REFUSED, str(error)[:300])
        except Exception as error:
            # A fault in Daybreak: each lane would meet it again, at the same reader.
            logger.exception("Edition %s: no message for %s", self.edition_id, pk)
            self.fault = Edition.Reason.NOT_SENDABLE, f"{type(error).__name__}: {error}"
            # The row moves behind the others: a resumed edition meets this reader last.
            return RowOutcome(pk, _Status.PENDING, "", "", date + FIRST_RETRY, is_attempt=False)
        if message is None:
            return RowOutcome(pk, _Status.SKIPPED, _Reason.MUTED, is_attempt=False)
        sender = self.signer.sender(row.subscription_id)
        return Outgoing(pk, sender, row.email, message, reader, dotless=True)

    # --- Outcomes ---

    def settle(self, transport: Transport, *, unanswered: int = 0) -> None:
        """Wait until at most `unanswered` messages have no outcome; keep the outcomes so far."""
        for pk, outcome in transport.take(unanswered=unanswered):
            row = self.on_wire.pop(pk)
            self.rate_limiter.record_outcome(row, outcome)
            row_outcome = self._row_outcome(row, outcome)
            self.cursor.keep(row_outcome)
            # A message that came back unsent behind a full connection was not answered.
            if row_outcome.status != _Status.PENDING:
                self.deferred.clear()
            elif outcome.verdict is not Verdict.NOT_SENT:
                self.deferred.append((row.email.rpartition("@")[2], row.attempts))
            if outcome.verdict is Verdict.NO_SUCH_ADDRESS:
                self.bounced.append((row.email, outcome.reply))
        # After the loop, so that no outcome is lost if the database cannot be reached.
        self._suppress()

    @property
    def every_message_is_deferred(self) -> bool:
        """Whether the relay itself defers every message, and not only some recipient domain."""
        if len(self.deferred) < WINDOW:
            return False
        # In the queue only retried readers of one domain stand next to each other.
        first_attempts = sum(not attempts for _, attempts in self.deferred)
        domains = {domain for domain, _ in self.deferred}
        return first_attempts >= WINDOW or len(domains) >= _DOMAINS

    def flush(self) -> None:
        """Write the outcomes that no claim has recorded; wait for a database that is unavailable.

        Raises:
            OperationalError, InterfaceError: The database did not come back. The rows that were on
                the wire become uncertain (see `recover`).
        """
        until = time.monotonic() + RECORD_SECONDS
        while self.cursor.has_outcomes or self.bounced:
            try:
                self._suppress()
                self.cursor.record()
            except (OperationalError, InterfaceError):
                if time.monotonic() > until or self.must_drop():
                    raise
                connection.close()
                self.reconnected = True
                time.sleep(0.5)

    def _suppress(self) -> None:
        while self.bounced:
            email, reply = self.bounced[0]
            reason = Suppression.Reason.BOUNCE
            suppress(email=email, reason=reason, detail=reply, now=self.clock())
            del self.bounced[0]

    def _row_outcome(self, row: Claimed, outcome: SendOutcome) -> RowOutcome:
        """Translate the verdict into the row's new status, reason and next attempt."""
        status, reason, next_attempt_at, is_attempt = _Status.PENDING, "", None, True
        self.answered += outcome.verdict not in {Verdict.NOT_SENT, Verdict.UNKNOWN}
        match outcome.verdict:
            case Verdict.ACCEPTED:
                status = _Status.SENT
            case Verdict.DEFERRED:
                next_attempt_at = self.clock() + backoff(row.attempts + 1)
            case Verdict.NO_SUCH_ADDRESS:
                status, reason = _Status.FAILED, str(_Reason.BAD_ADDRESS)
            case Verdict.REFUSED:
                status, reason = _Status.FAILED, str(_Reason.REFUSED)
            case Verdict.SENDERS_FAULT if row.refused:
                # An editor resumed the edition, and the relay refuses this reader's copy again:
                # only this copy is at fault.
                status, reason = _Status.FAILED, str(_Reason.REFUSED)
            case Verdict.SENDERS_FAULT:
                self.fault = Edition.Reason.REFUSED, outcome.reply
                # The row moves behind the others: a resumed edition meets this reader last.
                reason, next_attempt_at = str(_Reason.REFUSED), self.clock() + FIRST_RETRY
                is_attempt = False
            case Verdict.UNKNOWN:
                status = _Status.UNCERTAIN
                next_attempt_at = self.clock() + backoff(row.attempts + 1)
            case Verdict.NOT_SENT:
                is_attempt = False
                if not self.answered and not self.has_moved_one:
                    # Readers are sent to in order. A reader at whom the relay disconnects must not
                    # stay first forever. This counts no attempt; other readers only go first.
                    next_attempt_at, self.has_moved_one = self.clock() + FIRST_RETRY, True
        return RowOutcome(
            row.delivery_id,
            status,
            reason,
            outcome.reply,
            next_attempt_at,
            is_attempt=is_attempt,
            attempts=row.attempts,
        )


def backoff(attempt: int) -> timedelta:
    """Return how long to wait after the given attempt: doubling from a minute, with jitter."""
    longest: timedelta = min(FIRST_RETRY * 2 ** min(attempt - 1, 10), LONGEST_RETRY)
    # Jitter, so that thousands of readers deferred at the same time do not come back together.
    return longest * random.uniform(0.5, 1)  # noqa: S311 (no secret)
