"""A message between `put` and its outcome, and what a reply to it means."""

from __future__ import annotations

import re
from enum import IntEnum

from digest.delivery.replies import Outcome, Stage, Verdict, read
from digest.delivery.smtp.modes import Mode


class Step(IntEnum):
    """Which command a reply answers."""

    RESET = 0
    SENDER = 1
    RECIPIENT = 2
    GO = 3  # DATA, before the content
    CONTENT = 4  # the final dot, or BDAT


STAGE = {
    Step.SENDER: Stage.SENDER,
    Step.RECIPIENT: Stage.RECIPIENT,
    Step.GO: Stage.CONTENT,
    Step.CONTENT: Stage.CONTENT,
}
# The first digit of the reply with which each step goes on; the others of its digits may be unknown
# (RFC 5321, section 4.3.2). Every reply to the content is an outcome.
GOOD = (2, 2, 2, 3, 0)
# Unknown command, bad arguments, not implemented, bad sequence (RFC 5321, section 4.2.2).
_OF_THE_PROTOCOL = {500, 501, 502, 503}
_REASON = re.compile(rb"5\.(\d{1,3})\.")
_PROTOCOL = b"5"  # RFC 3463: the subject "mail delivery protocol status"


class Flight:
    """One message on its way. Compared by identity; made for each message, so it is small."""

    __slots__ = ("dotless", "end", "is_named", "is_open", "key", "message", "until")

    def __init__(self, key: int, message: bytes, until: float, *, dotless: bool = False) -> None:
        self.key, self.message, self.until, self.dotless = key, message, until, dotless
        # Its last byte's place in all that was sent on the wire; 0: not written yet.
        self.end = 0
        # The server took its recipient.
        self.is_named = False
        # No outcome yet.
        self.is_open = True


def outcome_of(step: Step, code: int, text: bytes) -> Outcome:
    """What a reply that is not GOOD means for its message."""
    outcome = read(code, text, stage=STAGE[step])
    if step is Step.GO and outcome.verdict is Verdict.ACCEPTED:
        # A 2yz is no answer to DATA.
        return Outcome(Verdict.LATER, outcome.reply)
    if code == 421 and step is Step.SENDER:
        # Nobody's message was named yet: many relays end a connection after so many.
        return Outcome(Verdict.NOT_SENT, outcome.reply)
    return outcome


def is_complaint(mode: Mode, step: Step, code: int, text: bytes, *, proven: bool) -> bool:
    """Whether the server complains about how we speak, though it offered that, not about the mail.

    `proven`: this connection got a message through in this way before.
    """
    if mode is Mode.PLAIN or code not in _OF_THE_PROTOCOL:
        return False
    reason = _REASON.match(text)
    if reason and reason[1] != _PROTOCOL:
        return False
    if step is Step.SENDER:
        # 501 may mean the address or an option of it, which a simpler mode sends as well.
        return code != 501
    if step is Step.RECIPIENT:
        # Later it is one odd address; it must not cost all others the speed.
        return not proven
    return step is Step.GO or mode is Mode.BDAT
