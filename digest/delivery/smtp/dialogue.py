"""Match each reply with its command and its message."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

from digest.delivery.replies import SendOutcome, Verdict, interpret
from digest.delivery.smtp import modes, timeouts
from digest.delivery.smtp.commands import content
from digest.delivery.smtp.in_flight import (
    EXPECTED_DIGIT,
    STAGE,
    InFlight,
    SmtpStep,
    is_protocol_error,
    outcome_of,
)
from digest.delivery.smtp.modes import Mode
from digest.delivery.smtp.wire import ConnectionLost, LossReason, Reply, Wire
from subscribers.relays import Relay


class Dialogue(ABC):
    """The messages and replies under way on one connection; ways.py has a subclass per mode."""

    mode: Mode

    def __init__(self, relay: Relay, wire: Wire) -> None:
        self.relay, self.wire = relay, wire
        self.accepted = 0
        self.known: list[tuple[int, SendOutcome]] = []
        # Messages without an outcome, in the order in which they were put.
        self.open: dict[InFlight, None] = {}
        # The replies that are still expected.
        self.expected: deque[tuple[InFlight, SmtpStep]] = deque()
        # The message whose DATA command was sent, and whose content was not sent yet.
        self.held: InFlight | None = None
        # Whether a transaction may be half open, so that the next message begins with RSET.
        self.is_dirty = False
        # Whether the mode has worked on this connection. In mode DATA, the reply to the message
        # `prover` shows it.
        self.is_proven = False
        self.prover: InFlight | None = None
        # Whether the connection takes no more messages.
        self.is_retired = False
        # The text of a 421 reply, and until when the server may still answer other messages.
        self.closing = ""
        self.ends_at = float("inf")

    @abstractmethod
    def send(self, flight: InFlight, mail: bytes, rcpt: bytes) -> None:
        """Send the message, or the part of it that may be sent now.

        Raises:
            Lost
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
        """Wait for what `send` would wait for; do nothing where `send` never waits."""

    def advance(self) -> None:
        if self.expected:
            self.read()
        else:
            self.flush()

    def read_all(self) -> None:
        while self.expected:
            self.read()

    def send_commands(self, flight: InFlight, steps: Sequence[SmtpStep], *parts: bytes) -> None:
        self.wire.send(*parts, until=self._limit())
        self.expected.extend([(flight, step) for step in steps])

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
            Lost
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
        flight, self.held = self.held, None
        if flight is None:
            return ()
        self.expected.append((flight, SmtpStep.CONTENT))
        if not flight.is_open:
            # The server refused the recipient and still accepted DATA: an empty message to nobody
            # ends the transaction (RFC 2920, section 3.1).
            self.is_dirty = True
            return (b".\r\n",)
        if time.monotonic() > flight.until:
            # Another process may already treat the row as lost.
            raise ConnectionLost(LossReason.LOCAL, "the message waited too long")
        body, end = content(flight.message, dotless=flight.dotless)
        flight.end = self.wire.asked + len(body) + len(end)
        return body, end

    def read(self) -> None:
        """Read the next reply and act on it."""
        flight, step = self.expected[0]
        replies = self.wire.replies
        code, text = replies.popleft() if replies else self._await(flight)
        self.expected.popleft()
        if code // 100 != EXPECTED_DIGIT[step]:
            self._hear(flight, step, code, text)
        elif step is SmtpStep.RECIPIENT:
            flight.is_named = True
        elif step is SmtpStep.DATA:
            self._go(flight)

    def _await(self, flight: InFlight) -> Reply:
        limit = timeouts.CONTENT_TIMEOUT if flight.end else timeouts.REPLY_TIMEOUT
        return self.wire.reply(min(time.monotonic() + limit, flight.until, self.ends_at))

    def _go(self, flight: InFlight) -> None:
        if flight is self.prover:
            self.is_proven = True
        if not flight.is_open and flight.is_named:
            # The server refused the sender and took the recipient. It is not known which message
            # the empty content would end.
            raise ConnectionLost(LossReason.PROTOCOL_ERROR, "DATA was accepted without a sender")

    def _hear(self, flight: InFlight, step: SmtpStep, code: int, text: bytes) -> None:
        """Act on a reply that is not the expected "go on"."""
        if not 200 <= code < 600 or (step is SmtpStep.CONTENT and 300 <= code < 400):
            raise ConnectionLost(
                LossReason.PROTOCOL_ERROR,
                f"not a valid answer to {step.name}: {_words(code, text)}",
            )
        if code == 421:
            self.begin_closing(text)
        elif step is SmtpStep.RESET:
            # After this no reply can be assigned to its message.
            words = f"RSET was answered {_words(code, text)}"
            self._complain(words, surely=True)
            raise ConnectionLost(LossReason.PROTOCOL_ERROR, words)
        if step is SmtpStep.DATA:
            self.held = None
        if flight.is_open and step is not SmtpStep.RESET:
            self._conclude(flight, step, code, text)

    def _conclude(self, flight: InFlight, step: SmtpStep, code: int, text: bytes) -> None:
        self.is_dirty = self.is_dirty or step is not SmtpStep.CONTENT
        if is_protocol_error(self.mode, step, code, text, proven=self.is_proven):
            words = _words(code, text)
            # The server may also answer 501 to a single unusual recipient.
            self._complain(words, surely=step is not SmtpStep.RECIPIENT)
            self.set_outcome(flight, SendOutcome(Verdict.NOT_SENT, words))
        else:
            self.set_outcome(flight, outcome_of(step, code, text))

    def _complain(self, words: str, *, surely: bool) -> None:
        modes.downgrade(self.relay, self.mode, words, surely=surely)
        self.is_retired = True

    def set_outcome(self, flight: InFlight, outcome: SendOutcome) -> None:
        flight.is_open = False
        del self.open[flight]
        self.known.append((flight.key, outcome))
        if outcome.verdict is Verdict.ACCEPTED:
            self.accepted += 1

    def begin_closing(self, text: bytes) -> None:
        """Note a 421, "service not available, closing transmission channel" (RFC 5321, 3.8).

        Replies to commands that were sent before the 421 arrived are still read, until the server
        closes. They count if the server went on nevertheless.
        """
        if not self.closing:
            self.closing, self.is_retired = _words(421, text), True
            self.ends_at = min(self.ends_at, time.monotonic() + timeouts.CLOSING_TIMEOUT)

    def read_unsolicited(self) -> None:
        """Read what the server says while no reply is expected, or that it closed the connection.

        Raises:
            Lost
        """
        code, text = self.wire.reply(time.monotonic())
        if code == 421:
            self.begin_closing(text)
            raise ConnectionLost(LossReason.CLOSED, self.closing)
        raise ConnectionLost(
            LossReason.PROTOCOL_ERROR, f"a reply to no command: {_words(code, text)}"
        )

    def abort(self, lost: ConnectionLost) -> None:
        """Give every open message its outcome: UNKNOWN if its last byte was sent, else NOT_SENT."""
        if not self.closing and self._is_suspicious(lost):
            modes.downgrade(self.relay, self.mode, str(lost), surely=False)
        # A server that said 421 and closed has taken no open message, whatever was written.
        took_nothing = bool(self.closing) and lost.why is LossReason.CLOSED
        words = self.closing or str(lost)
        for flight in list(self.open):
            is_safe = took_nothing or not flight.end or self.wire.sent < flight.end
            verdict = Verdict.NOT_SENT if is_safe else Verdict.UNKNOWN
            self.set_outcome(flight, SendOutcome(verdict, words))
        self.expected.clear()
        self.held = None
        self.wire.close()

    def _is_suspicious(self, lost: ConnectionLost) -> bool:
        """Whether the mode may be the reason why the connection was lost."""
        if lost.why is LossReason.LOCAL or self.is_retired or not self.expected:
            return False
        if self.mode is Mode.BDAT and any(flight.end for flight in self.open):
            # Many messages are uncertain now. Another such loss would cost too much, whatever the
            # reason.
            return True
        return not self.is_proven and self.expected[0][1] is not SmtpStep.CONTENT


def _words(code: int, text: bytes) -> str:
    return interpret(code, text, stage=STAGE[SmtpStep.SENDER]).reply
