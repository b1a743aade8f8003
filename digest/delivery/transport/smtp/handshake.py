"""Open an SMTP session: connect, send EHLO, start TLS and log in."""

from __future__ import annotations

import smtplib
import socket
import time
from collections.abc import Callable
from typing import Any

from django.core.mail.utils import DNS_NAME

from digest.delivery.transport.base import NoConnection, RelayRefuses
from digest.delivery.transport.replies import Stage, interpret
from digest.delivery.transport.smtp import dial, timeouts
from digest.delivery.transport.smtp.wire import ConnectionLost, Wire, error_text
from subscribers.mail.relays import Relay


class Client(smtplib.SMTP):
    """Uses smtplib's EHLO and AUTH over a Wire, with its timeouts."""

    wire: Wire
    # How long the server took to answer the last EHLO, in seconds.
    round_trip = 0.0

    def __init__(self, relay: Relay, should_stop: Callable[[], bool]) -> None:
        self.relay, self.should_stop = relay, should_stop
        super().__init__(relay.host, relay.port, local_hostname=str(DNS_NAME))

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = dial.dial(host, port, self.should_stop)
        if self.relay.tls:
            sock = dial.wrap_tls(sock, host, self.should_stop)
        self.wire = Wire(sock, self.should_stop)
        return sock

    def send(self, s: Any) -> None:
        data = s.encode(self.command_encoding) if isinstance(s, str) else bytes(s)
        self.wire.send(data, until=time.monotonic() + timeouts.REPLY_TIMEOUT)

    def getreply(self) -> tuple[int, bytes]:
        try:
            return self.wire.reply(time.monotonic() + timeouts.REPLY_TIMEOUT)
        except ConnectionLost as lost:
            self.close()
            raise smtplib.SMTPServerDisconnected(str(lost)) from lost

    def greet(self) -> None:
        began = time.monotonic()
        self.ehlo_or_helo_if_needed()
        self.round_trip = time.monotonic() - began

    def encrypt(self) -> None:
        # smtplib's own starttls() needs a blocking socket.
        if not self.has_extn("starttls"):
            raise smtplib.SMTPNotSupportedError("STARTTLS extension not supported by server.")
        code, text = self.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        if self.wire.has_input():
            # An attacker between us and the server may have injected this (CVE-2011-0411).
            raise smtplib.SMTPServerDisconnected("the server went on talking before TLS")
        assert self.sock is not None  # noqa: S101 (for mypy: docmd() raised otherwise)
        self.sock = dial.wrap_tls(self.sock, self.relay.host, self.should_stop)
        self.wire = Wire(self.sock, self.should_stop)
        # What the server said before TLS does not count (RFC 3207, section 4.2).
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False


def open_session(relay: Relay, should_stop: Callable[[], bool]) -> Client:
    """Return a client that is connected, authenticated and ready to send mail.

    Raises:
        NoConnection, RelayRefuses
    """
    try:
        client = Client(relay, should_stop)
        try:
            _start_session(client, relay)
        except BaseException:
            client.close()
            raise
    except smtplib.SMTPResponseException as refused:
        raise _connect_error(relay, refused) from refused
    except smtplib.SMTPNotSupportedError as missing:
        raise RelayRefuses(f"{relay.name}: {missing}") from missing
    except (smtplib.SMTPException, OSError) as error:
        raise NoConnection(f"{relay.name}: {error_text(error)}") from error
    return client


def _start_session(client: Client, relay: Relay) -> None:
    client.greet()
    if relay.starttls:
        client.encrypt()
        client.greet()
    if relay.user:
        client.login(relay.user, relay.password)


def _connect_error(
    relay: Relay, refused: smtplib.SMTPResponseException
) -> NoConnection | RelayRefuses:
    reply = interpret(refused.smtp_code, refused.smtp_error, stage=Stage.SENDER).reply
    kind = RelayRefuses if 500 <= refused.smtp_code < 600 else NoConnection
    return kind(f"{relay.name}: {reply}")
