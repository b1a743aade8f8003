"""Open connections to public addresses only, and only until a deadline."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Collection, Iterable
from concurrent.futures import Future
from threading import Thread
from typing import Any

import httpcore

from subscribers.web.public_addresses import is_public

# Seconds for which the resolver may look for a name.
RESOLVE_SECONDS = 10.0


class RefusedAddress(Exception):
    """The host has no address that may be connected to."""


class PastDeadline(Exception):
    """The time for the whole exchange is over."""


class Deadline:
    """A point in time beyond which no wait may go."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def cut(self, timeout: float | None) -> float:
        """Return the timeout, or the time that is left if that is less."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise PastDeadline
        return left if timeout is None else min(timeout, left)


class GuardedBackend(httpcore.NetworkBackend):
    """A network backend that connects to the very address that it checked.

    A check before the request is not enough: a redirect leads elsewhere, and a name server may
    answer the second query differently (DNS rebinding).
    """

    def __init__(
        self,
        *,
        allow_hosts: Collection[str],
        deadline: Deadline,
        setting: str = "FETCH_ALLOW_HOSTS",
    ) -> None:
        """`allow_hosts` may be private; `setting` names the setting that lists them."""
        self._allow_hosts = {host.strip("[]").lower() for host in allow_hosts}
        self._deadline = deadline
        self._setting = setting

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        error: Exception = RefusedAddress(f"{host} has no address.")
        for address in self._permitted(host, port):
            try:
                stream = _plain.connect_tcp(
                    address, port, self._deadline.cut(timeout), local_address, socket_options
                )
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
        raise error

    def _permitted(self, host: str, port: int) -> list[str]:
        """Return the host's addresses that may be connected to, in the resolver's order."""
        try:
            answers = self._look_up(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} does not resolve in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} does not resolve") from error
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
        if host.lower() in self._allow_hosts:
            return addresses
        public = [a for a in addresses if is_public(ipaddress.ip_address(a.partition("%")[0]))]
        if not public:
            raise RefusedAddress(
                f"{host} is at {', '.join(addresses)}, which is not a public address. "
                f"To use it anyway, add {host} to {self._setting}."
            )
        return public

    def _look_up(self, host: str, port: int) -> list[Any]:
        """Ask the resolver, which takes half a minute to give up, in a thread that can be left."""
        answers: Future[list[Any]] = Future()

        def ask() -> None:
            try:
                answers.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except Exception as error:
                answers.set_exception(error)

        Thread(target=ask, daemon=True).start()
        return answers.result(timeout=self._deadline.cut(RESOLVE_SECONDS))


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every wait ends at the deadline, even if bytes arrive one by one."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.cut(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.cut(timeout))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


_plain = httpcore.SyncBackend()
