"""A receiver of webhooks: a real HTTP server whose responses the test defines."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


@dataclass
class Posted:
    """One request that the receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A receiver responds to its next requests with `status`, `headers` and `body`."""

    received: list[Posted] = field(default_factory=list)
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    # Seconds before the response, and between any two bytes of its body.
    wait: float = 0
    drip: float = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, receiver: Receiver, *args: Any) -> None:
        self.receiver = receiver
        super().__init__(*args)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.received.append(Posted(self.path, headers, body))
        time.sleep(self.receiver.wait)
        with contextlib.suppress(ConnectionError):
            self.send_response(self.receiver.status)
            for name, value in self.receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for byte in self.receiver.body:
                self.wfile.write(bytes([byte]))
                time.sleep(self.receiver.drip)

    def log_message(self, *args: Any) -> None:
        """Write no log."""


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, receiver))
    server.daemon_threads = True
    receiver.port = server.server_port
    settings.WEBHOOK_ALLOW_HOSTS = ["127.0.0.1"]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join(5)
