"""Send messages to a relay over one connection, several in flight, and return their outcomes."""

from digest.delivery.smtp.connection import SmtpConnection
from digest.delivery.smtp.modes import Mode

__all__ = ["Mode", "SmtpConnection"]
