"""Send messages to a relay over one connection, several in flight, and return their outcomes."""

from digest.delivery.transport.smtp.connection import SmtpConnection
from digest.delivery.transport.smtp.modes import Mode

__all__ = ["Mode", "SmtpConnection"]
