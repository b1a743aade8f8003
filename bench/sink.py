"""An SMTP server that takes everything and keeps nothing, in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager


class _Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer, self.in_data = transport, b"", False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"
            found, separator, rest = self.buffer.partition(end)
            if not separator:
                return
            self.buffer = rest
            if self.in_data:
                self.in_data = False
                self.transport.write(b"250 2.0.0 taken\r\n")
            else:
                self._command(found[:4].upper())

    def _command(self, verb: bytes) -> None:
        if verb == b"DATA":
            self.in_data = True
            self.transport.write(b"354 go on\r\n")
        elif verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
        elif verb == b"EHLO":
            self.transport.write(b"250-sink\r\n250-8BITMIME\r\n250 SIZE\r\n")
        else:
            self.transport.write(b"250 2.1.0 fine\r\n")


def _serve(listening: socket.socket) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Sink, sock=listening)
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def running() -> Iterator[int]:
    """Run a sink and give its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    process = multiprocessing.get_context("fork").Process(target=_serve, args=[listening])
    process.start()
    port = int(listening.getsockname()[1])
    listening.close()
    try:
        yield port
    finally:
        process.kill()
        process.join()
