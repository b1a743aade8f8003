"""Send messages in one of three modes: many in flight, overlapping pairs, or step by step."""

from __future__ import annotations

from digest.delivery.replies import SendOutcome, Verdict
from digest.delivery.smtp.dialogue import Dialogue
from digest.delivery.smtp.in_flight import InFlight, SmtpStep
from digest.delivery.smtp.modes import Mode

# At most this many messages are unanswered: a crash leaves them uncertain.
MAX_IN_FLIGHT = 20
_ENVELOPE = (SmtpStep.RESET, SmtpStep.SENDER, SmtpStep.RECIPIENT)


class Bdat(Dialogue):
    """CHUNKING with PIPELINING (RFC 3030, RFC 2920): whole messages are sent ahead of the replies.

    Each message begins with RSET. Without it a transaction would go on after a refusal, and include
    the next message's recipient. The first message of a connection is a probe: its envelope shows
    whether PIPELINING works. Its content is sent alone and shows whether CHUNKING works, while no
    other message is at risk.
    """

    mode = Mode.BDAT

    def send(self, flight: InFlight, mail: bytes, rcpt: bytes) -> None:
        if not self.expected and self.wire.has_input():
            # The server closed since the last message, and has surely not taken this one.
            self.read_unsolicited()
        while len(self.open) > MAX_IN_FLIGHT and not self.is_retired:
            self.read()
        if self.is_retired:
            return mark_not_sent(self, flight)
        last = b"BDAT %d LAST\r\n" % len(flight.message)
        if self.is_proven:
            self.send_commands(flight, _ENVELOPE, b"RSET\r\n" + mail + rcpt + last, flight.message)
            self._end(flight)
        else:
            self._probe(flight, b"RSET\r\n" + mail + rcpt, last)
        return None

    def _probe(self, flight: InFlight, envelope: bytes, last: bytes) -> None:
        self.send_commands(flight, _ENVELOPE, envelope)
        self.read_all()
        if flight.is_open and not self.is_retired:
            self.send_commands(flight, (), last, flight.message)
            self._end(flight)
            self.read_all()
            self.is_proven = not self.is_retired

    def _end(self, flight: InFlight) -> None:
        flight.end = self.wire.asked
        self.expected.append((flight, SmtpStep.CONTENT))


class Data(Dialogue):
    """PIPELINING alone: one write holds the last message's content and this one's envelope."""

    mode = Mode.DATA

    def make_ready(self) -> None:
        self.read_all()

    def send(self, flight: InFlight, mail: bytes, rcpt: bytes) -> None:
        self.read_all()
        if self.is_retired:
            return mark_not_sent(self, flight)
        before = self.held_content()
        steps = [SmtpStep.SENDER, SmtpStep.RECIPIENT, SmtpStep.DATA]
        if self.is_dirty:
            self.is_dirty = False
            mail = b"RSET\r\n" + mail
            steps.insert(0, SmtpStep.RESET)
        if before:
            self.prover = flight
        self.send_commands(flight, steps, *before, mail + rcpt + b"DATA\r\n")
        self.held = flight
        return None


class Plain(Dialogue):
    """Each command waits for the reply to the one before."""

    mode = Mode.PLAIN

    def send(self, flight: InFlight, mail: bytes, rcpt: bytes) -> None:
        for step, line in (
            (SmtpStep.SENDER, mail),
            (SmtpStep.RECIPIENT, rcpt),
            (SmtpStep.DATA, b"DATA\r\n"),
        ):
            if step is SmtpStep.DATA:
                self.held = flight
            self.send_commands(flight, (step,), line)
            self.read()
            if not flight.is_open:
                break
        else:
            self.flush()
            self.read()
        if self.is_dirty and not self.is_retired:
            self.is_dirty = False
            self.send_commands(flight, (SmtpStep.RESET,), b"RSET\r\n")
            self.read()


def mark_not_sent(dialogue: Dialogue, flight: InFlight) -> None:
    words = dialogue.closing or "the connection accepts no more messages"
    dialogue.set_outcome(flight, SendOutcome(Verdict.NOT_SENT, words))


STRATEGIES: dict[Mode, type[Dialogue]] = {way.mode: way for way in (Bdat, Data, Plain)}
