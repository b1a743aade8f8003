"""Match each reply with its command and its message."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

from digest.delivery.transport.replies import SendOutcome, Verdict, interpret
from digest.delivery.transport.smtp import modes, timeouts
from digest.delivery.transport.smtp.commands import dot_stuffed
from digest.delivery.transport.smtp.in_flight import (
    EXPECTED_DIGIT,
    STAGE,
    InFlightMessage,
    SmtpStep,
    is_protocol_error,
    outcome_of,
)
from digest.delivery.transport.smtp.modes import Mode
from digest.delivery.transport.smtp.wire import ConnectionLost, LossReason, Reply, Wire
from subscribers.mail.relays import Relay


class Dialogue(ABC):
    """The messages and replies under way on a connection; pipelining.py has a subclass per mode."""

    mode: Mode

    def __init__(self, relay: Relay, wire: Wire) -> None:
        self.relay, self.wire = relay, wire
        self.accepted = 0
        self.known: list[tuple[int, SendOutcome]] = []
        # Messages without an outcome, in the order in which they were put.
        self.open: dict[InFlightMessage, None] = {}
        # The replies that are still expected.
        self.expected: deque[tuple[InFlightMessage, SmtpStep]] = deque()
        # The message whose DATA command was sent, and whose content was not sent yet.
        self.held: InFlightMessage | None = None
        # Whether a transaction may be half open, so that the next message begins with RSET.
        self.is_dirty = False
        # Whether the mode has worked on this connection. In mode DATA, the reply to the message
        # `prover` shows it.
        self.is_proven = False
        self.prover: InFlightMessage | None = None
        # Whether the connection accepts no more messages.
        self.is_retired = False
        # The text of a 421 reply, and until when the server may still answer other messages.
        self.closing = ""
        self.ends_at = float("inf")

    @abstractmethod
    def send(self, message: InFlightMessage, mail: bytes, rcpt: bytes) -> None:
        """Send the message, or the part of it that may be sent now.

        Raises:
            ConnectionLost
        """

    def settle(self, unanswered: int) -> None:
        """Wait until at most `unanswered` messages have no outcome."""
        try:
            while len(self.open) > unanswered:
                self.advance()
        except ConnectionLost as lost:
            self.abort(lost)
        if self.closing and not self.open:
            self.wire.close()

    def make_ready(self) -> None:  # noqa: B027 (most modes do nothing here)
        """Wait for what `send` would wait for; do nothing if `send` never waits."""

    def advance(self) -> None:
        if self.expected:
            self.read()
        else:
            self.flush()

    def read_all(self) -> None:
        while self.expected:
            self.read()

    def send_commands(
        self, message: InFlightMessage, steps: Sequence[SmtpStep], *parts: bytes
    ) -> None:
        self.wire.send(*parts, until=self._limit())
        self.expected.extend([(message, step) for step in steps])

    def _limit(self) -> float:
        """Return until when the oldest open message must have its outcome."""
        oldest = next(iter(self.open), None)
        return min(oldest.until, self.ends_at) if oldest else self.ends_at

    def flush(self) -> None:
        """Send the content that is held back, if any."""
        if self.closing:
            raise ConnectionLost(LossReason.CLOSED, self.closing)
        parts = self.held_content()
        if parts:
            self.wire.send(*parts, until=self._limit())

    def quit(self) -> None:
        """Send QUIT once no reply is expected any more.

        Raises:
            ConnectionLost
        """
        self.read_all()
        if self.held and not self.held.is_open:
            # The server would read QUIT as the content of this message.
            self.flush()
            self.read()
        if not self.held:
            self.wire.send(b"QUIT\r\n", until=self.ends_at)
            self.wire.reply(self.ends_at)

    def held_content(self) -> tuple[bytes, ...]:
        """Return the content to send next, for the message whose DATA got the reply 354."""
        message, self.held = self.held, None
        if message is None:
            return ()
        self.expected.append((message, SmtpStep.CONTENT))
        if not message.is_open:
            # The server refused the recipient and still accepted DATA: an empty message to nobody
            # ends the transaction (RFC 2920, section 3.1).
            self.is_dirty = True
            return (b".\r\n",)
        if time.monotonic() > message.until:
            # Another process may already treat the row as lost.
            raise ConnectionLost(LossReason.LOCAL, "the message waited too long")
        body, end = dot_stuffed(message.content, dotless=message.dotless)
        message.end = self.wire.given + len(body) + len(end)
        return body, end

    def read(self) -> None:
        """Read the next reply and act on it."""
        message, step = self.expected[0]
        replies = self.wire.replies
        code, text = replies.popleft() if replies else self._next_reply(message)
        self.expected.popleft()
        if code // 100 != EXPECTED_DIGIT[step]:
            self._handle_unexpected(message, step, code, text)
        elif step is SmtpStep.RECIPIENT:
            message.is_recipient_accepted = True
        elif step is SmtpStep.DATA:
            self._check_data_reply(message)

    def _next_reply(self, message: InFlightMessage) -> Reply:
        limit = timeouts.CONTENT_TIMEOUT if message.end else timeouts.REPLY_TIMEOUT
        return self.wire.reply(min(time.monotonic() + limit, message.until, self.ends_at))

    def _check_data_reply(self, message: InFlightMessage) -> None:
        if message is self.prover:
            self.is_proven = True
        if not message.is_open and message.is_recipient_accepted:
            # The server refused the sender and accepted the recipient. It is not known which
            # message the empty content would end.
            raise ConnectionLost(LossReason.PROTOCOL_ERROR, "DATA was accepted without a sender")

    def _handle_unexpected(
        self, message: InFlightMessage, step: SmtpStep, code: int, text: bytes
    ) -> None:
        """Act on a reply that does not have the expected digit."""
        if not 200 <= code < 600 or (step is SmtpStep.CONTENT and 300 <= code < 400):
            raise ConnectionLost(
                LossReason.PROTOCOL_ERROR,
                f"not a valid answer to {step.name}: {_reply_text(code, text)}",
            )
        if code == 421:
            self.begin_closing(text)
        elif step is SmtpStep.RESET:
            # After this no reply can be assigned to its message.
            reason = f"RSET was answered {_reply_text(code, text)}"
            self._downgrade(reason, is_certain=True)
            raise ConnectionLost(LossReason.PROTOCOL_ERROR, reason)
        if step is SmtpStep.DATA:
            self.held = None
        if message.is_open and step is not SmtpStep.RESET:
            self._conclude(message, step, code, text)

    def _conclude(self, message: InFlightMessage, step: SmtpStep, code: int, text: bytes) -> None:
        self.is_dirty = self.is_dirty or step is not SmtpStep.CONTENT
        if is_protocol_error(self.mode, step, code, text, proven=self.is_proven):
            reason = _reply_text(code, text)
            # The server may also answer 501 to a single unusual recipient.
            self._downgrade(reason, is_certain=step is not SmtpStep.RECIPIENT)
            self.set_outcome(message, SendOutcome(Verdict.NOT_SENT, reason))
        else:
            self.set_outcome(message, outcome_of(step, code, text))

    def _downgrade(self, reason: str, *, is_certain: bool) -> None:
        modes.downgrade(self.relay, self.mode, reason, is_certain=is_certain)
        self.is_retired = True

    def set_outcome(self, message: InFlightMessage, outcome: SendOutcome) -> None:
        message.is_open = False
        del self.open[message]
        self.known.append((message.key, outcome))
        if outcome.verdict is Verdict.ACCEPTED:
            self.accepted += 1

    def begin_closing(self, text: bytes) -> None:
        """Note a 421, "service not available, closing transmission channel" (RFC 5321, 3.8).

        Replies to commands that were sent before the 421 arrived are still read, until the server
        closes. They count if the server went on nevertheless.
        """
        if not self.closing:
            self.closing, self.is_retired = _reply_text(421, text), True
            self.ends_at = min(self.ends_at, time.monotonic() + timeouts.CLOSING_TIMEOUT)

    def read_unsolicited(self) -> None:
        """Read what the server says while no reply is expected, or that it closed the connection.

        Raises:
            ConnectionLost
        """
        code, text = self.wire.reply(time.monotonic())
        if code == 421:
            self.begin_closing(text)
            raise ConnectionLost(LossReason.CLOSED, self.closing)
        raise ConnectionLost(
            LossReason.PROTOCOL_ERROR, f"a reply to no command: {_reply_text(code, text)}"
        )

    def abort(self, lost: ConnectionLost) -> None:
        """Give every open message its outcome: UNKNOWN if its last byte was sent, else NOT_SENT."""
        if not self.closing and self._is_suspicious(lost):
            modes.downgrade(self.relay, self.mode, str(lost), is_certain=False)
        # A server that said 421 and closed has taken no open message, whatever was written.
        took_nothing = bool(self.closing) and lost.reason is LossReason.CLOSED
        reason = self.closing or str(lost)
        for message in list(self.open):
            is_safe = took_nothing or not message.end or self.wire.sent < message.end
            verdict = Verdict.NOT_SENT if is_safe else Verdict.UNKNOWN
            self.set_outcome(message, SendOutcome(verdict, reason))
        self.expected.clear()
        self.held = None
        self.wire.close()

    def _is_suspicious(self, lost: ConnectionLost) -> bool:
        """Whether the mode may be the reason why the connection was lost."""
        if lost.reason is LossReason.LOCAL or self.is_retired or not self.expected:
            return False
        if self.mode is Mode.BDAT and any(message.end for message in self.open):
            # Many messages are uncertain now. Another such loss would cost too much, whatever the
            # reason.
            return True
        return not self.is_proven and self.expected[0][1] is not SmtpStep.CONTENT


def _reply_text(code: int, text: bytes) -> str:
    return interpret(code, text, stage=STAGE[SmtpStep.SENDER]).reply
