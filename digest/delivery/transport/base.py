"""Define one message to send, and what every transport must do with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

from digest.delivery.transport.replies import SendOutcome
from digest.rendering.personalise import ReaderFields


class NoConnection(Exception):
    """The relay cannot be reached, or takes no connection for now; nothing was sent."""


class RelayRefuses(Exception):
    """The relay does not accept our mail at all, because of credentials, TLS or policy."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, ready for the wire; its outcome comes back under `key`."""

    key: int
    sender: str
    recipient: str
    # ASCII with CRLF line ends; it ends in CRLF.
    message: bytes
    # An ESP needs these values to merge. Over SMTP everything is in the message.
    reader: ReaderFields
    # The maker of the message knows that no line begins with a dot. Searching for such a line takes
    # longer than making the message.
    dotless: bool = False


class Transport(Protocol):
    """An open connection to a relay; a context manager, so that it is closed in an orderly way.

    After the connection is lost every message that was put has an outcome: UNKNOWN if its end may
    have reached the relay, NOT_SENT if it cannot have. From then on `put` gives NOT_SENT.
    """

    @property
    def accepted(self) -> int:
        """How many messages the relay accepted."""

    @property
    def batch(self) -> int:
        """How many messages to hand over between two `take`s, at most WINDOW of `ledger`."""

    @property
    def is_open(self) -> bool:
        """Whether the transport takes another message."""

    def ready(self) -> None:
        """Wait until the next message can go on the wire immediately."""

    def put(self, outgoing: Outgoing) -> None:
        """Hand over one message; nothing that the relay does raises an error."""

    def take(self, *, unanswered: int = 0) -> list[tuple[int, SendOutcome]]:
        """Wait until at most `unanswered` messages have no outcome.

        Return the outcomes that are new since the last call, by the messages' keys.
        """

    def close(self) -> None:
        """Close the connection; `take` still returns the outcome of every message that was put."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
