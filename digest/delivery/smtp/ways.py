"""Send messages in one of three modes: many in flight, overlapping pairs, or step by step."""

from __future__ import annotations

from digest.delivery.replies import Outcome, Verdict
from digest.delivery.smtp.dialogue import Dialogue
from digest.delivery.smtp.flight import Flight, Step
from digest.delivery.smtp.modes import Mode

# At most this many messages are unanswered: a crash leaves them uncertain.
DEPTH = 20
_ENVELOPE = (Step.RESET, Step.SENDER, Step.RECIPIENT)


class Bdat(Dialogue):
    """CHUNKING with PIPELINING (RFC 3030, RFC 2920): whole messages are sent ahead of the replies.

    Each message begins with RSET. Without it a transaction would go on after a refusal, and include
    the next message's recipient. The first message of a connection is a probe: its envelope shows
    whether PIPELINING works. Its content is sent alone and shows whether CHUNKING works, while no
    other message is at risk.
    """

    mode = Mode.BDAT

    def launch(self, flight: Flight, mail: bytes, rcpt: bytes) -> None:
        if not self.expected and self.wire.has_news():
            # The server closed since the last message, and has surely not taken this one.
            self.overhear()
        while len(self.open) > DEPTH and not self.is_retired:
            self.read()
        if self.is_retired:
            return not_begun(self, flight)
        last = b"BDAT %d LAST\r\n" % len(flight.message)
        if self.is_proven:
            self.say(flight, _ENVELOPE, b"RSET\r\n" + mail + rcpt + last, flight.message)
            self._end(flight)
        else:
            self._probe(flight, b"RSET\r\n" + mail + rcpt, last)
        return None

    def _probe(self, flight: Flight, envelope: bytes, last: bytes) -> None:
        self.say(flight, _ENVELOPE, envelope)
        self.read_all()
        if flight.is_open and not self.is_retired:
            self.say(flight, (), last, flight.message)
            self._end(flight)
            self.read_all()
            self.is_proven = not self.is_retired

    def _end(self, flight: Flight) -> None:
        flight.end = self.wire.asked
        self.expected.append((flight, Step.CONTENT))


class Data(Dialogue):
    """PIPELINING alone: one write holds the last message's content and this one's envelope."""

    mode = Mode.DATA

    def make_ready(self) -> None:
        self.read_all()

    def launch(self, flight: Flight, mail: bytes, rcpt: bytes) -> None:
        self.read_all()
        if self.is_retired:
            return not_begun(self, flight)
        before = self.held_content()
        steps = [Step.SENDER, Step.RECIPIENT, Step.GO]
        if self.is_dirty:
            self.is_dirty = False
            mail = b"RSET\r\n" + mail
            steps.insert(0, Step.RESET)
        if before:
            self.prover = flight
        self.say(flight, steps, *before, mail + rcpt + b"DATA\r\n")
        self.held = flight
        return None


class Plain(Dialogue):
    """Each command waits for the reply to the one before."""

    mode = Mode.PLAIN

    def launch(self, flight: Flight, mail: bytes, rcpt: bytes) -> None:
        for step, line in ((Step.SENDER, mail), (Step.RECIPIENT, rcpt), (Step.GO, b"DATA\r\n")):
            if step is Step.GO:
                self.held = flight
            self.say(flight, (step,), line)
            self.read()
            if not flight.is_open:
                break
        else:
            self.flush()
            self.read()
        if self.is_dirty and not self.is_retired:
            self.is_dirty = False
            self.say(flight, (Step.RESET,), b"RSET\r\n")
            self.read()


def not_begun(dialogue: Dialogue, flight: Flight) -> None:
    words = dialogue.closing or "the connection takes no more messages"
    dialogue.answer(flight, Outcome(Verdict.NOT_SENT, words))


WAYS: dict[Mode, type[Dialogue]] = {way.mode: way for way in (Bdat, Data, Plain)}
