"""One message on its way, and what any carrier of messages must do with it."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from digest.delivery.replies import Outcome
from digest.rendering.personalise import Reader


class NoConnection(Exception):
    """The relay cannot be reached, or closes the door for now; nothing was sent."""


class RelayRefuses(Exception):
    """The relay will not take our mail at all: credentials, TLS or policy."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message, ready for the wire, under the number by which its outcome comes back."""

    key: int
    sender: str
    recipient: str
    # CRLF line ends, ASCII, ends in CRLF.
    message: bytes
    # An ESP merges with it; SMTP has everything in the message.
    reader: Reader
    # Whoever made it knows that no line begins with a dot: looking for one takes longer than making
    # the message.
    dotless: bool = False


class Transport(Protocol):
    """An open way to a relay; a context manager, so that it is closed politely.

    After it dies every message that was put has an outcome: UNKNOWN where its end may have reached
    the relay, NOT_SENT where it cannot have; and `put` gives NOT_SENT from then on.
    """

    @property
    def accepted(self) -> int:
        """Messages that the relay accepted."""

    @property
    def batch(self) -> int:
        """How many messages to hand over between two `take`s, at most 20."""

    @property
    def is_open(self) -> bool:
        """Whether it may be used for another message."""

    def ready(self) -> None:
        """Wait until the next message would go on the wire at once."""

    def put(self, outgoing: Outgoing) -> None:
        """Hand over one message; never raises for what the relay does."""

    def take(self, *, unanswered: int = 0) -> list[tuple[int, Outcome]]:
        """Wait until at most so many are unanswered; all outcomes known by now, each once."""

    def close(self) -> None:
        """End it; what was put and not answered still has its outcome in `take`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
