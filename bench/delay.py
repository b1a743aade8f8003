"""Proxy TCP connections, and delay each byte by the time that light takes to a far relay.

    python -m bench.delay LISTEN_PORT TARGET_PORT SECONDS_EACH_WAY

It runs in a process of its own. Bandwidth is not limited: every chunk waits its time, however many
are waiting.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from bench import servers


@contextmanager
def proxy(target: int, *, seconds: float) -> Iterator[int]:
    """Run the proxy; yield a port behind which `target` is `seconds` away, each way."""
    port = servers.free_port()
    command = [sys.executable, "-m", "bench.delay", str(port), str(target), str(seconds)]
    process = subprocess.Popen(command, cwd=servers.ROOT)
    try:
        servers.wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait()


class _Side(asyncio.Protocol):
    """One end of a connection; what comes in here goes out at the other, `wait` seconds later.

    It uses callbacks: streams and tasks took half a processor from what is measured.
    """

    def __init__(self, wait: float) -> None:
        self.wait, self.loop = wait, asyncio.get_running_loop()
        self.other: _Side | None = None
        # The chunks in order, each with the time at which it is due. An empty one is the end.
        self.under_way: deque[tuple[float, bytes]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.socket = transport.get_extra_info("socket")
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        if data:
            # Without this the kernel delays the acknowledgement by 40 ms, and Postfix its reply.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if self.other and not self.wait:
            return self.other.transport.write(data)
        self.under_way.append((self.loop.time() + self.wait, data))
        if self.other and len(self.under_way) == 1:
            self.loop.call_at(self.under_way[0][0], self.deliver)
        return None

    def connection_lost(self, error: Exception | None) -> None:
        if self.other and not self.wait:
            return self.other.transport.close()
        return self.data_received(b"")

    def deliver(self) -> None:
        assert self.other
        now = self.loop.time()
        while self.under_way and self.under_way[0][0] <= now:
            _, data = self.under_way.popleft()
            self.other.transport.write(data) if data else self.other.transport.close()
        if self.under_way:
            self.loop.call_at(self.under_way[0][0], self.deliver)


class _Near(_Side):
    """The client's end, which opens the connection to the relay."""

    def __init__(self, target: int, wait: float) -> None:
        super().__init__(wait)
        self.target = target

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.connecting = self.loop.create_task(self._connect())

    async def _connect(self) -> None:
        far = _Side(self.wait)
        far.other = self
        await self.loop.create_connection(lambda: far, "127.0.0.1", self.target)
        self.other = far
        if self.under_way:
            self.deliver()


async def _serve(port: int, target: int, wait: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Near(target, wait), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
