"""Open the way to a relay, whatever kind of relay it is."""

from __future__ import annotations

from collections.abc import Callable

from digest.delivery import smtp
from digest.delivery.outgoing import NoConnection, Outgoing, RelayRefuses, Transport
from digest.rendering.personalise import FrozenPage
from subscribers.relays import Relay

__all__ = ["NoConnection", "Outgoing", "RelayRefuses", "Transport", "connect"]


def connect(relay: Relay, *, give_up: Callable[[], bool], frozen: FrozenPage) -> Transport:
    """A transport that is ready for messages of the page `frozen`.

    `give_up` is asked several times a second whether to stop waiting for the relay.

    Raises:
        NoConnection, RelayRefuses
    """
    if relay.backend:
        # Only here: a worker without an ESP need not hold its libraries in memory.
        from digest.delivery.esp.connection import Connection

        return Connection(relay, frozen=frozen, give_up=give_up)
    return smtp.Connection(relay, give_up=give_up)
