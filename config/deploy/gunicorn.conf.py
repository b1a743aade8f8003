"""How the web server runs, wherever it is started: gunicorn's settings, and its worker.

`gunicorn --config config/deploy/gunicorn.conf.py`; what the command line has besides counts more
than what stands here. docs/deploying.md says what a slow client can and cannot do.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

# Seconds for which a client may keep a thread waiting, for its request or to take its answer.
PATIENCE_SECONDS = 10.0
# Each of these bytes that it sends or takes gives it back a part of them: a slow line is no fault.
BYTES_PER_SECOND = 5_000
# A worker that is answering for longer than this finishes that answer before it is replaced. Others
# have `graceful_timeout`.
LONG_SECONDS = 5.0


class PatientSocket(socket.socket):
    """A client's connection that ends if the client is too slow, however it goes about it.

    gunicorn alone waits for ever for the rest of a request. A limit for each wait would not help
    against one byte a second, so this counts all waiting, as Apache's mod_reqtimeout does.
    """

    def __init__(self, *, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self._left = PATIENCE_SECONDS

    def recv(self, size: int, flags: int = 0) -> bytes:
        with self._waiting():
            data = super().recv(size, flags)
        self._reward(len(data))
        return data

    def sendall(self, data: Any, flags: int = 0) -> None:
        view = memoryview(data)
        # What the kernel takes at once says nothing about the client, so pieces are small.
        for start in range(0, len(view), 65_536):
            piece = view[start : start + 65_536]
            with self._waiting():
                super().sendall(piece, flags)
            self._reward(len(piece))

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        limit = self.gettimeout()
        if limit == 0:
            yield
            return
        self.settimeout(self._left if limit is None else min(limit, self._left))
        began = time.monotonic()
        try:
            yield
        except TimeoutError as error:
            if limit is not None and limit < self._left:
                raise  # a limit of gunicorn's own
            # gunicorn and Django take this for a client that has gone.
            raise ConnectionResetError(errno.ECONNRESET, "The client is too slow.") from error
        finally:
            self._left = max(0.001, self._left - (time.monotonic() - began))
            self.settimeout(limit)

    def _reward(self, size: int) -> None:
        self._left = min(PATIENCE_SECONDS, self._left + size / BYTES_PER_SECOND)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's worker with threads, which no slow client holds up.

    It is not replaced while it has been at work on an answer for LONG_SECONDS.
    """

    max_requests: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._busy_threads = 0
        self._answering_since: dict[TConn, float] = {}

    def enqueue_req(self, conn: TConn) -> None:
        if not isinstance(conn.sock, PatientSocket):
            self._wait_for_first_byte(conn)
            return
        self._busy_threads += 1
        super().enqueue_req(conn)
        self.set_accept_enabled(True)

    def _wait_for_first_byte(self, conn: TConn) -> None:
        """Let the new connection take no thread until something comes over it.

        Browsers open connections before they need them; gunicorn would give each a thread for five
        seconds.
        """
        conn.sock = PatientSocket(fileno=conn.sock.detach())
        nothing: Future[object] = Future()
        nothing.set_result(_DEFER)
        super().finish_request(conn, nothing)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        self._busy_threads -= 1
        super().finish_request(conn, fs)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections only if a thread is free, and leave them to other workers if not."""
        super().set_accept_enabled(enabled and self._busy_threads < self.cfg.threads)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        now = time.monotonic()
        self._answering_since[conn] = now
        if self.nr + 1 >= self.max_requests and self._is_answering_long(now):
            # Its successor is started only when it has ended. So it goes on until it can end soon.
            self.max_requests = self.nr + 100
        try:
            return super().handle_request(req, conn)
        finally:
            del self._answering_since[conn]

    def _is_answering_long(self, now: float) -> bool:
        return any(now - since > LONG_SECONDS for since in list(self._answering_since.values()))


wsgi_app = "config.wsgi"
# Without this line a variable PORT would open that port to everybody.
bind = "127.0.0.1:8000"
# Each thread keeps a connection to PostgreSQL.
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
worker_class = PatientWorker
threads = 16
# Seconds without a sign of life after which a worker is killed. The main thread gives it, not those
# that answer: only code that keeps Python itself busy is killed, and no long request.
timeout = 30
# Seconds for requests that are being answered when a worker has to stop.
graceful_timeout = 30
# For longer than nginx keeps a connection (config/deploy/nginx.conf). Otherwise nginx would now and
# then send a request over one that is being closed.
keepalive = 75
# A worker is replaced after about as many requests, so that no leak of memory lasts.
max_requests = 10_000
max_requests_jitter = 2_000
# The signs of life are written to a file. On a disk that is busy with a list of readers that would
# take long enough for a healthy worker to be killed.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None  # noqa: S108
# The kernel would send a file to a slow client without a limit.
sendfile = False
# Its path is in the home directory, which a service need not have and a second clone would share.
control_socket_disable = True
