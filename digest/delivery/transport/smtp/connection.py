"""Provide the transport to a relay that speaks SMTP: one connection, from EHLO to QUIT."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from digest.delivery.transport.base import Outgoing
from digest.delivery.transport.replies import SendOutcome, Verdict
from digest.delivery.transport.smtp import modes, timeouts
from digest.delivery.transport.smtp.commands import Dialect, UnsupportedAddress
from digest.delivery.transport.smtp.handshake import Client, open_session
from digest.delivery.transport.smtp.in_flight import InFlightMessage
from digest.delivery.transport.smtp.modes import Mode
from digest.delivery.transport.smtp.pipelining import STRATEGIES
from digest.delivery.transport.smtp.wire import ConnectionLost, LossReason
from subscribers.mail.relays import Relay

# With many messages in flight, half a window is claimed and recorded while the other half is on the
# wire. If an answer takes longer than this many seconds, a quarter is claimed at a time. Otherwise
# the wire would be idle.
_NEAR = 0.002
_NEAR_BATCH, _FAR_BATCH = 10, 5
# With two messages in flight, the next window is claimed before the last four of this one are sent.
# Then at most twenty messages are claimed and not recorded: 14, 4 and 2.
_STEP_BY_STEP_BATCH = 14
# A connection is used no longer than this. A connection that is used forever stays with one of a
# relay's hosts, although other hosts are added or removed.
MAX_SECONDS = 60.0


def _never() -> bool:
    return False


class SmtpConnection:
    """An open, authenticated SMTP session that is a Transport; use it as a context manager.

    `fastest` is the fastest mode to use. The server's EHLO, or an earlier failure of a mode with
    this server, may lead to a slower one.

    Raises:
        NoConnection, RelayRefuses: The connection could not be opened.
    """

    def __init__(
        self, relay: Relay, *, should_stop: Callable[[], bool] = _never, fastest: Mode = Mode.BDAT
    ) -> None:
        client = open_session(relay, should_stop)
        self._dialect = Dialect(client.has_extn("size"), client.has_extn("smtputf8"))
        mode = min(fastest, _offered(client), modes.fastest_working(relay))
        self.batch = _STEP_BY_STEP_BATCH
        if mode is Mode.BDAT:
            self.batch = _FAR_BATCH if client.round_trip > _NEAR else _NEAR_BATCH
        self._dialogue = STRATEGIES[mode](relay, client.wire)
        self._left = relay.messages
        self._retire_at = time.monotonic() + MAX_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def mode(self) -> Mode:
        return self._dialogue.mode

    @property
    def accepted(self) -> int:
        return self._dialogue.accepted

    @property
    def is_open(self) -> bool:
        return not self._dialogue.is_retired and not self._dialogue.wire.lost

    def send(self, *, sender: str, recipient: str, message: bytes) -> SendOutcome:
        """Send one message and wait for its outcome; do not mix this with `put`."""
        self._put(0, sender, recipient, message)
        ((_, outcome),) = self.take()
        return outcome

    def ready(self) -> None:
        """Wait until the next message can go on the wire immediately."""
        try:
            self._dialogue.make_ready()
        except ConnectionLost as lost:
            self._dialogue.abort(lost)

    def put(self, outgoing: Outgoing) -> None:
        """Hand over one message (CRLF line ends); nothing that the server does raises an error."""
        self._put(
            outgoing.key,
            outgoing.sender,
            outgoing.recipient,
            outgoing.message,
            dotless=outgoing.dotless,
        )

    def take(self, *, unanswered: int = 0) -> list[tuple[int, SendOutcome]]:
        """Wait until at most `unanswered` messages have no outcome; return the new outcomes."""
        dialogue = self._dialogue
        dialogue.settle(0 if dialogue.is_retired else unanswered)
        known, dialogue.known = dialogue.known, []
        return known

    def close(self) -> None:
        """Send QUIT after a short wait for replies; content that is held back is not sent."""
        dialogue = self._dialogue
        dialogue.ends_at = time.monotonic() + timeouts.QUIT_TIMEOUT
        lost = ConnectionLost(LossReason.LOCAL, "the connection was closed")
        try:
            dialogue.quit()
        except ConnectionLost as found:
            lost = found
        dialogue.abort(lost)

    def _put(
        self, key: int, sender: str, recipient: str, content: bytes, *, dotless: bool = False
    ) -> None:
        dialogue = self._dialogue
        if dialogue.wire.lost:
            dialogue.known.append((key, SendOutcome(Verdict.NOT_SENT, "the connection is closed")))
            return
        try:
            mail, rcpt = self._dialect.envelope(sender, recipient, len(content))
        except UnsupportedAddress as error:
            dialogue.known.append((key, SendOutcome(Verdict.REFUSED, str(error))))
            return
        now = time.monotonic()
        message = InFlightMessage(key, content, now + timeouts.MESSAGE_TIMEOUT, dotless=dotless)
        dialogue.open[message] = None
        try:
            dialogue.send(message, mail, rcpt)
        except ConnectionLost as lost:
            dialogue.abort(lost)
        self._left -= 1
        if self._left <= 0 or now > self._retire_at:
            dialogue.is_retired = True
        if dialogue.is_retired:
            dialogue.settle(0)


def _offered(client: Client) -> Mode:
    if not client.has_extn("pipelining"):
        return Mode.PLAIN
    return Mode.BDAT if client.has_extn("chunking") else Mode.DATA
