"""Send messages to a relay over one connection, several in flight, and return their outcomes.

connection  the transport: one connection, from EHLO to QUIT
handshake   opens the session: connect, EHLO, TLS, log in
dial        opens the TCP or TLS connection itself
modes       chooses how far to send ahead, and remembers what failed with a relay
pipelining  sends in that mode, with at most WINDOW messages unanswered
dialogue    matches each reply with its command and its message
in_flight   one message between `put` and its outcome
commands    one message's envelope and content, as SMTP commands
wire        writes and reads at the same time
timeouts    how long to wait for a relay
"""

from digest.delivery.transport.smtp.connection import SmtpConnection
from digest.delivery.transport.smtp.modes import Mode

__all__ = ["Mode", "SmtpConnection"]
