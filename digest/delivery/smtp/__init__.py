"""Hand messages to a relay over one connection, several in flight, and say what became of each."""

from digest.delivery.smtp.connection import Connection
from digest.delivery.smtp.modes import Mode

__all__ = ["Connection", "Mode"]
