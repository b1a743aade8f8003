"""Interpret an SMTP reply: what it means for the message, the address and the edition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Stage(Enum):
    """Which command the reply answered."""

    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    CONTENT = "DATA"


class Verdict(Enum):
    """What became of one message."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    NO_SUCH_ADDRESS = "no such address"
    REFUSED = "refused"
    # Policy, authentication or the content is refused: so would be every other reader's copy.
    SENDERS_FAULT = "the sender's fault"
    # The connection was lost after the message's end was sent: the message may have arrived.
    UNKNOWN = "unknown"
    # The connection was lost before the message's end was sent: the message cannot have arrived,
    # and no attempt is counted.
    NOT_SENT = "not sent"


@dataclass(frozen=True)
class SendOutcome:
    """A verdict with the server's reply, as the ledger stores it."""

    verdict: Verdict
    reply: str = ""


# RFC 3463: class.subject.detail at the start of the text.
_ENHANCED = re.compile(r"[245]\.(?P<subject>\d{1,3})\.(?P<detail>\d{1,3})\b")
# Bad mailbox, bad domain, null MX, mailbox disabled.
_NO_SUCH_ADDRESS = {(1, 1), (1, 2), (1, 10), (2, 1)}
_MAILBOX_FULL = (2, 2)
_TOO_BIG = (3, 4)
_CONTENT, _POLICY = 6, 7


def interpret(code: int, text: bytes | str, *, stage: Stage) -> SendOutcome:
    """Return the outcome of a reply; of its text only the enhanced code is interpreted."""
    line = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    # PostgreSQL refuses a NUL, and the window's other outcomes would be lost with it.
    line = " ".join(line.replace("\0", "").split())
    return SendOutcome(_verdict(code, line, stage), f"{code} {line}"[:300])


def _verdict(code: int, line: str, stage: Stage) -> Verdict:
    if 200 <= code < 300:
        return Verdict.ACCEPTED
    if not 500 <= code < 600:
        # 4yz, and every code that RFC 5321 does not know.
        return Verdict.DEFERRED
    found = _ENHANCED.match(line)
    if not found:
        # A server that gives no enhanced code means the subject of the command: the sender at MAIL,
        # this recipient at RCPT, the content at DATA.
        return Verdict.REFUSED if stage is Stage.RECIPIENT else Verdict.SENDERS_FAULT
    return _by_enhanced_code((int(found["subject"]), int(found["detail"])), stage)


def _by_enhanced_code(code: tuple[int, int], stage: Stage) -> Verdict:
    if code == _MAILBOX_FULL:
        return Verdict.DEFERRED
    if code[0] in {_CONTENT, _POLICY} or code == _TOO_BIG or stage is Stage.SENDER:
        return Verdict.SENDERS_FAULT
    return Verdict.NO_SUCH_ADDRESS if code in _NO_SUCH_ADDRESS else Verdict.REFUSED
