"""Hold a message between `put` and its outcome, and interpret the replies to it."""

from __future__ import annotations

import re
from enum import IntEnum

from digest.delivery.transport.replies import SendOutcome, Stage, Verdict, interpret
from digest.delivery.transport.smtp.modes import Mode


class SmtpStep(IntEnum):
    """Which command a reply answers."""

    RESET = 0
    SENDER = 1
    RECIPIENT = 2
    DATA = 3  # DATA, before the content
    CONTENT = 4  # the final dot, or BDAT


STAGE = {
    SmtpStep.SENDER: Stage.SENDER,
    SmtpStep.RECIPIENT: Stage.RECIPIENT,
    SmtpStep.DATA: Stage.CONTENT,
    SmtpStep.CONTENT: Stage.CONTENT,
}
# For each step, the first digit of the reply after which the next step follows. The other digits
# may be unknown (RFC 5321, section 4.3.2). No reply has the 0 of the content, because every reply
# to the content is an outcome.
EXPECTED_DIGIT = (2, 2, 2, 3, 0)
# Unknown command, bad arguments, not implemented, bad sequence (RFC 5321, section 4.2.2).
_PROTOCOL_CODES = {500, 501, 502, 503}
_SUBJECT = re.compile(rb"5\.(\d{1,3})\.")
_PROTOCOL_SUBJECT = b"5"  # RFC 3463: the subject "mail delivery protocol status"


class InFlightMessage:
    """One message in flight, compared by identity; one is made per message, so it is small."""

    __slots__ = ("content", "dotless", "end", "is_open", "is_recipient_accepted", "key", "until")

    def __init__(self, key: int, content: bytes, until: float, *, dotless: bool = False) -> None:
        self.key, self.content, self.until, self.dotless = key, content, until, dotless
        # The position of its last byte among all bytes sent on the wire; 0 if not written yet.
        self.end = 0
        # Whether the server accepted its recipient.
        self.is_recipient_accepted = False
        # Whether it has no outcome yet.
        self.is_open = True


def outcome_of(step: SmtpStep, code: int, text: bytes) -> SendOutcome:
    """Return the outcome that a reply without the EXPECTED_DIGIT means for its message."""
    outcome = interpret(code, text, stage=STAGE[step])
    if step is SmtpStep.DATA and outcome.verdict is Verdict.ACCEPTED:
        # A 2yz is not a valid answer to DATA.
        return SendOutcome(Verdict.DEFERRED, outcome.reply)
    if code == 421 and step is SmtpStep.SENDER:
        # No recipient was sent yet: many relays close a connection after some number of messages.
        return SendOutcome(Verdict.NOT_SENT, outcome.reply)
    return outcome


def is_protocol_error(mode: Mode, step: SmtpStep, code: int, text: bytes, *, proven: bool) -> bool:
    """Whether the server complains about the protocol that it offered, and not about the mail.

    `proven` says that this connection has sent a message in this mode before.
    """
    if mode is Mode.PLAIN or code not in _PROTOCOL_CODES:
        return False
    subject = _SUBJECT.match(text)
    if subject and subject[1] != _PROTOCOL_SUBJECT:
        return False
    if step is SmtpStep.SENDER:
        # 501 may mean the address or one of its parameters, which a simpler mode sends too.
        return code != 501
    if step is SmtpStep.RECIPIENT:
        # Once the mode is proven it is one unusual address, which must not slow all others.
        return not proven
    return step is SmtpStep.DATA or mode is Mode.BDAT
