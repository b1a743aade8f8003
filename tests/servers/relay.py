"""A real SMTP server that keeps the mails it gets."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.support.waiting import wait_for


@dataclass
class ReceivedMail:
    """One message as it came over the wire."""

    mail_from: str
    rcpt_to: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = BytesParser(policy=policy.default).parsebytes(self.raw)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def part(self, kind: str) -> str:
        """Return the text of the part of this kind, `plain` or `html`."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content())


@dataclass
class RelayServer:
    """A real SMTP server; `replies` maps a recipient to the reply its message gets."""

    port: int
    received: list[ReceivedMail] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # type: ignore[no-untyped-def]
        for address in envelope.rcpt_tos:
            self.received.append(
                ReceivedMail(envelope.mail_from, address, envelope.original_content)
            )
        return "250 OK"

    def mails_to(self, address: str) -> list[ReceivedMail]:
        return [mail for mail in self.received if mail.rcpt_to == address]

    def wait_for_mail(self, address: str, *, count: int = 1, seconds: float = 30) -> ReceivedMail:
        """Wait for `count` messages to `address`, and return the newest."""
        wait_for(
            lambda: len(self.mails_to(address)) >= count,
            seconds=seconds,
            what=f"{count} mail(s) to {address}",
        )
        return self.mails_to(address)[-1]


class _ControllerOnSocket(Controller):
    """A controller on a given socket: a port that was free a moment ago may be taken by now."""

    def __init__(self, handler: Any, listening: socket.socket, **options: Any) -> None:
        self.listening = listening
        hostname, port = listening.getsockname()
        super().__init__(handler, hostname=hostname, port=port, **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self.listening)


@contextlib.contextmanager
def running_relay() -> Iterator[RelayServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    relay = RelayServer(port=listening.getsockname()[1])
    controller = _ControllerOnSocket(relay, listening, decode_data=False, ready_timeout=30)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()


@pytest.fixture(scope="session")
def relay_server() -> Iterator[RelayServer]:
    with running_relay() as relay:
        yield relay


@pytest.fixture
def relay(relay_server: RelayServer, settings: Any) -> RelayServer:
    """An empty mailbox on a real SMTP server, which is this test's only relay."""
    from subscribers.mail.relays import parse_relay

    relay_server.received.clear()
    relay_server.replies.clear()
    settings.EMAIL_BACKEND = "subscribers.mail.failover.FailoverBackend"
    settings.EMAIL_RELAYS = [parse_relay(f"smtp://127.0.0.1:{relay_server.port}")]
    return relay_server
