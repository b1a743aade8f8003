"""Connect to a relay by the transport that it needs."""

from __future__ import annotations

from collections.abc import Callable

from digest.delivery.transport import smtp
from digest.delivery.transport.base import Transport
from digest.rendering.personalise import FrozenPage
from subscribers.mail.relays import Relay


def connect(relay: Relay, *, should_stop: Callable[[], bool], frozen: FrozenPage) -> Transport:
    """Return a transport that is ready for messages made from the page `frozen`.

    `should_stop` is called several times a second, and says whether to stop waiting for the relay.

    Raises:
        NoConnection, RelayRefuses
    """
    if relay.backend:
        # Imported only here, so that a worker without an ESP holds none of its libraries in memory.
        from digest.delivery.transport.esp.connection import EspConnection

        return EspConnection(relay, frozen=frozen, should_stop=should_stop)
    return smtp.SmtpConnection(relay, should_stop=should_stop)
