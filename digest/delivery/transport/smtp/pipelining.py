"""Send messages in one of three modes: many in flight, overlapping pairs, or step by step."""

from __future__ import annotations

from digest.delivery.ledger import WINDOW
from digest.delivery.transport.replies import SendOutcome, Verdict
from digest.delivery.transport.smtp.dialogue import Dialogue
from digest.delivery.transport.smtp.in_flight import InFlightMessage, SmtpStep
from digest.delivery.transport.smtp.modes import Mode

_ENVELOPE = (SmtpStep.RESET, SmtpStep.SENDER, SmtpStep.RECIPIENT)


class Bdat(Dialogue):
    """CHUNKING with PIPELINING (RFC 3030, RFC 2920): whole messages are sent ahead of the replies.

    Each message begins with RSET. Without it a transaction would continue after a refusal, and
    include the next message's recipient. The first message of a connection is a probe: its envelope
    shows whether PIPELINING works. Its content is sent alone and shows whether CHUNKING works,
    while no other message is at risk.
    """

    mode = Mode.BDAT

    def send(self, message: InFlightMessage, mail: bytes, rcpt: bytes) -> None:
        if not self.expected and self.wire.has_input():
            # The server closed since the last message, so it cannot have taken this one.
            self.read_unsolicited()
        while len(self.open) > WINDOW and not self.is_retired:
            self.read()
        if self.is_retired:
            return mark_not_sent(self, message)
        envelope = b"RSET\r\n" + mail + rcpt
        last = b"BDAT %d LAST\r\n" % len(message.content)
        if self.is_proven:
            self.send_commands(message, _ENVELOPE, envelope + last, message.content)
            self._end(message)
        else:
            self._probe(message, envelope, last)
        return None

    def _probe(self, message: InFlightMessage, envelope: bytes, last: bytes) -> None:
        self.send_commands(message, _ENVELOPE, envelope)
        self.read_all()
        if message.is_open and not self.is_retired:
            self.send_commands(message, (), last, message.content)
            self._end(message)
            self.read_all()
            self.is_proven = not self.is_retired

    def _end(self, message: InFlightMessage) -> None:
        message.end = self.wire.given
        self.expected.append((message, SmtpStep.CONTENT))


class Data(Dialogue):
    """PIPELINING alone: one write holds the last message's content and this one's envelope."""

    mode = Mode.DATA

    def make_ready(self) -> None:
        self.read_all()

    def send(self, message: InFlightMessage, mail: bytes, rcpt: bytes) -> None:
        self.read_all()
        if self.is_retired:
            return mark_not_sent(self, message)
        before = self.held_content()
        steps = [SmtpStep.SENDER, SmtpStep.RECIPIENT, SmtpStep.DATA]
        if self.is_dirty:
            self.is_dirty = False
            mail = b"RSET\r\n" + mail
            steps.insert(0, SmtpStep.RESET)
        if before:
            self.prover = message
        self.send_commands(message, steps, *before, mail + rcpt + b"DATA\r\n")
        self.held = message
        return None


class Plain(Dialogue):
    """One command at a time: each waits for the reply to the one before."""

    mode = Mode.PLAIN

    def send(self, message: InFlightMessage, mail: bytes, rcpt: bytes) -> None:
        for step, line in (
            (SmtpStep.SENDER, mail),
            (SmtpStep.RECIPIENT, rcpt),
            (SmtpStep.DATA, b"DATA\r\n"),
        ):
            if step is SmtpStep.DATA:
                self.held = message
            self.send_commands(message, (step,), line)
            self.read()
            if not message.is_open:
                break
        else:
            self.flush()
            self.read()
        if self.is_dirty and not self.is_retired:
            self.is_dirty = False
            self.send_commands(message, (SmtpStep.RESET,), b"RSET\r\n")
            self.read()


def mark_not_sent(dialogue: Dialogue, message: InFlightMessage) -> None:
    reason = dialogue.closing or "the connection accepts no more messages"
    dialogue.set_outcome(message, SendOutcome(Verdict.NOT_SENT, reason))


STRATEGIES: dict[Mode, type[Dialogue]] = {
    strategy.mode: strategy for strategy in (Bdat, Data, Plain)
}
