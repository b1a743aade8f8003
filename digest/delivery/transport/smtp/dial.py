"""Open a TCP or TLS connection, and stop early if it is not wanted any more."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

from digest.delivery.transport.smtp import timeouts


def dial(host: str, port: int, should_stop: Callable[[], bool]) -> socket.socket:
    """Return a connected, non-blocking socket; every address of the host is tried.

    Raises:
        OSError: No address could be reached in time, or the connection is not wanted any more.
    """
    until = time.monotonic() + timeouts.CONNECT_TIMEOUT
    failure = OSError(f"{host} has no address")
    found = _addresses(host, port, until, should_stop)
    for number, (family, kind, protocol, _, address) in enumerate(found):
        # A first address that does not answer must leave time for the others.
        share = (until - time.monotonic()) / (len(found) - number)
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            _connect(sock, address, time.monotonic() + share, should_stop)
            # A pipelined group is sent immediately, even if earlier data is not acknowledged yet.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _addresses(host: str, port: int, until: float, should_stop: Callable[[], bool]) -> list[Any]:
    """Return the resolver's addresses of the host.

    The resolver cannot be interrupted and may take minutes. It therefore runs in a thread, which
    can be abandoned.
    """
    with contextlib.suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: list[list[Any] | Exception] = []

    def resolve() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            found.append(error)

    thread = Thread(target=resolve, daemon=True)
    thread.start()
    while not found:
        thread.join(timeouts.POLL_SECONDS)
        if not found and (should_stop() or time.monotonic() > until):
            raise TimeoutError(f"the name {host} was not resolved in time")
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _connect(
    sock: socket.socket, address: tuple[object, ...], until: float, should_stop: Callable[[], bool]
) -> None:
    code = sock.connect_ex(address)
    if code == errno.EINPROGRESS:
        wait(sock, select.POLLOUT, until, should_stop)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def wrap_tls(sock: socket.socket, host: str, should_stop: Callable[[], bool]) -> ssl.SSLSocket:
    """Return the socket wrapped in TLS, with the server's certificate verified.

    Raises:
        OSError: The handshake failed (ssl.SSLError is an OSError) or took too long.
    """
    until = time.monotonic() + timeouts.CONNECT_TIMEOUT
    context = ssl.create_default_context()
    wrapped = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                wait(wrapped, select.POLLIN, until, should_stop)
            except ssl.SSLWantWriteError:
                wait(wrapped, select.POLLOUT, until, should_stop)
            else:
                return wrapped
    except BaseException:
        wrapped.close()
        raise


def wait(sock: socket.socket, events: int, until: float, should_stop: Callable[[], bool]) -> None:
    """Wait until the socket is ready for `events`.

    Raises:
        TimeoutError
    """
    poll = select.poll()
    poll.register(sock, events)
    while not poll.poll(timeouts.POLL_SECONDS * 1000):
        if should_stop() or time.monotonic() > until:
            raise TimeoutError("the server did not answer in time")
    if time.monotonic() > until:  # a handshake that comes in small pieces
        raise TimeoutError("the server did not answer in time")
