"""A real web server for feeds and pages."""

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
class WebResponse:
    """The response of the test's web server for a path, and how badly the server behaves."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    # Seconds to wait before the first byte, and between two bytes of the body.
    wait: float = 0
    drip: float = 0


class WebServer:
    """A real HTTP server. `requests` holds the path and the headers of each request."""

    def __init__(self) -> None:
        self.responses: dict[str, WebResponse] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_WebHandler, self))
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"

    def serve(self, path: str, body: bytes = b"", **fields: Any) -> str:
        """Respond with this at the path from now on, and return its URL."""
        self.responses[path] = WebResponse(body, **fields)
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"


class _WebHandler(BaseHTTPRequestHandler):
    def __init__(self, web: WebServer, *args: Any) -> None:
        self.web = web
        super().__init__(*args)

    def do_GET(self) -> None:
        self.web.requests.append((self.path, dict(self.headers)))
        response = self.web.responses.get(self.path, WebResponse(status=404))
        time.sleep(response.wait)
        etag = response.headers.get("ETag")
        unchanged = etag is not None and self.headers["If-None-Match"] == etag
        # The client closes the connection when a limit of its own is reached.
        with contextlib.suppress(ConnectionError):
            self.send_response(304 if unchanged else response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if unchanged:
                return
            pieces = [response.body] if not response.drip else [bytes([b]) for b in response.body]
            for piece in pieces:
                self.wfile.write(piece)
                time.sleep(response.drip)

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def web(settings: Any) -> Iterator[WebServer]:
    """A web server on loopback, from which feeds and pages may be fetched."""
    web = WebServer()
    settings.FETCH_ALLOW_HOSTS = ["127.0.0.1"]
    thread = threading.Thread(target=web.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield web
    web.server.shutdown()
    web.server.server_close()
    thread.join(5)
