"""Pass TCP connections on, each byte as much later as light would take to a far relay.

    python -m bench.delay LISTEN_PORT TARGET_PORT SECONDS_EACH_WAY

In a process of its own. Bandwidth is not limited: every chunk waits its time, however many wait.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench import servers

CHUNK = 256 * 1024


@contextmanager
def running(target: int, *, seconds: float) -> Iterator[int]:
    """A port behind which `target` is so many seconds away, each way."""
    port = servers.free_port()
    command = [sys.executable, "-m", "bench.delay", str(port), str(target), str(seconds)]
    process = subprocess.Popen(command, cwd=servers.ROOT)
    try:
        servers.wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float) -> None:
    """Chunks arrive in order, each `wait` after it was read; the end of the stream too."""
    loop = asyncio.get_running_loop()
    chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await chunks.get()
            if (left := due - loop.time()) > 0:
                await asyncio.sleep(left)
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    delivering = asyncio.create_task(deliver())
    try:
        while data := await reader.read(CHUNK):
            chunks.put_nowait((loop.time() + wait, data))
    except ConnectionError:
        pass
    chunks.put_nowait((loop.time() + wait, b""))
    await delivering


async def _serve(port: int, target: int, wait: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target, limit=CHUNK)
        for one in (writer, far_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(
            _pass_on(reader, far_writer, wait),
            _pass_on(far_reader, writer, wait),
            return_exceptions=True,
        )

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=CHUNK)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
