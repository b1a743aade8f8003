"""The three ways to send a message: many at once, one behind the other, step by step."""

from __future__ import annotations

from digest.delivery.replies import Outcome, Verdict
from digest.delivery.smtp.dialogue import Dialogue
from digest.delivery.smtp.flight import Flight, Step
from digest.delivery.smtp.modes import Mode

# Unanswered messages, at most: what a crash can leave uncertain.
DEPTH = 20
_ENVELOPE = (Step.RESET, Step.SENDER, Step.RECIPIENT)


class Bdat(Dialogue):
    """CHUNKING with PIPELINING (RFC 3030, RFC 2920): everything at once, replies later.

    RSET first: after a refusal the transaction would go on, and take the next message's recipient
    into it. The first message of a connection shows with its envelope whether PIPELINING is
    mastered, and alone with its content whether CHUNKING is: no other is at risk yet.
    """

    mode = Mode.BDAT

    def launch(self, flight: Flight, mail: bytes, rcpt: bytes) -> None:
        if not self.expected and self.wire.has_news():
            # Closed since the last message: this one is surely not taken.
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
    """PIPELINING alone: the content of the one before and this one's envelope in one write."""

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
