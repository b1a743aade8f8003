"""How the web server runs, wherever it is started: gunicorn's settings, and its worker.

`gunicorn --config config/deploy/gunicorn.conf.py`; what the command line has besides counts more
than what stands here. docs/deploying.md says what a slow client can and cannot do.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

# Seconds for which a client may keep a thread waiting, for its request or to take its answer.
PATIENCE_SECONDS = 10.0
# Each of these bytes that it sends or takes gives it back a part of them: a slow line is no fault.
BYTES_PER_SECOND = 5_000


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
    """gunicorn's worker with threads, which no slow client holds up and which cuts off no answer.

    gunicorn replaces a worker in the middle of its answers, starts the next one only when the old
    one has ended, and gives it `graceful_timeout` for that. This one ends when nobody is connected.
    """

    max_requests: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._replaced_after, self.max_requests = self.max_requests, sys.maxsize
        self._connections = 0

    def enqueue_req(self, conn: TConn) -> None:
        self._connections += 1
        conn.sock = PatientSocket(fileno=conn.sock.detach())
        # Its own limit holds for the first byte, too.
        conn.data_ready = True
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        super().finish_request(conn, fs)
        self._connections -= 1
        # gunicorn subtracts a connection twice if its answer broke off.
        self.nr_conns = self._connections
        if self.nr >= self._replaced_after and not self._connections:
            self.alive = False


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
# A worker accepts no more connections than it has threads: the other workers take what it leaves.
worker_connections = threads
# One connection has one request. A connection that is kept open for the next one may be closed just
# when that comes, and a form that was sent over it would be lost.
keepalive = 0
# No leak of memory lasts: after about as many requests a worker is replaced, once it is idle.
max_requests = 10_000
max_requests_jitter = 2_000
# The signs of life are written to a file. On a disk that is busy with a list of readers that would
# take long enough for a healthy worker to be killed.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None  # noqa: S108
# The kernel would send a file to a slow client without a limit.
sendfile = False
# Its path is in the home directory, which a service need not have and a second clone would share.
control_socket_disable = True
