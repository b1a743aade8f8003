"""An SMTP server in a process of its own that counts what arrives, and fails on order.

`python -m tests.servers.sink` prints its ports on its first line, and ends when its
standard input ends. Orders come as lines of JSON over the control port; each gets one answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
import time
import zlib
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

SILENT, CUT = "silent", "cut"
PLAIN, PIPELINING = ("SIZE 10000000",), ("SIZE 10000000", "PIPELINING")
CHUNKING = (*PIPELINING, "CHUNKING")
MODES = (PLAIN, PIPELINING, CHUNKING)
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_OK = "250 2.0.0 OK"


@dataclass
class FaultRule:
    """What to do (a reply, SILENT or CUT) at MAIL, RCPT, BODY or END, and for which messages.

    - BODY is half-way through the content, and allows only CUT. END is behind its last byte.
    - `every`: the rule applies to every n-th message, counted over all connections.
    - `share`: the rule applies to this share of the recipients, the same ones each time.
    - `tries`: the rule applies only this many times for each recipient; 0 is no limit.
    """

    at: str
    do: str
    every: int = 1
    share: float = 1.0
    tries: int = 0


def is_chosen(recipient: str, share: float) -> bool:
    """Return whether a rule with this share applies to the recipient."""
    return zlib.crc32(recipient.encode()) < share * 2**32


@dataclass
class Orders:
    """How the server behaves."""

    extensions: Iterable[str] = CHUNKING
    # Seconds that each message takes, one after the other on a connection.
    pace: float = 0.0
    # After this number the next MAIL of a connection gets 421; 0 is no limit.
    messages_per_connection: int = 0
    rules: list[FaultRule] = field(default_factory=list)


@dataclass
class Taken:
    """A message whose last byte arrived and which was not refused."""

    recipient: str
    message_id: str
    # On the clock of time.monotonic(), which all processes of a machine share.
    began: float
    ended: float
    # It stays False if the sender never got an answer.
    answered: bool = False


class CountingSink:
    """What all connections share."""

    def __init__(self) -> None:
        self.sessions: set[_Session] = set()
        self.reset()

    def reset(self) -> None:
        self.orders = Orders()
        self.taken: list[Taken] = []
        self.counts: Counter[str] = Counter()
        self.tries: Counter[tuple[int, str]] = Counter()

    def action_at(self, stage: str, recipient: str) -> str | None:
        """Return what to do at this stage, or None for the usual reply."""
        for number, rule in enumerate(self.orders.rules):
            if rule.at != stage or not is_chosen(recipient, rule.share):
                continue
            self.counts[f"rule {number}"] += 1
            if self.counts[f"rule {number}"] % rule.every:
                continue
            self.tries[number, recipient] += 1
            if rule.tries and self.tries[number, recipient] > rule.tries:
                continue
            self.counts[f"{rule.do} at {stage}"] += 1
            return rule.do
        return None


class _TimestampedReader(asyncio.StreamReader):
    """A reader that knows when each byte arrived, however much later the byte is read."""

    def __init__(self) -> None:
        super().__init__(limit=2**30)
        self.fed = self.position = 0
        self.stamps: deque[tuple[int, float]] = deque()

    def feed_data(self, data: bytes) -> None:
        self.fed += len(data)
        self.stamps.append((self.fed, time.monotonic()))
        super().feed_data(data)

    def arrived(self) -> float:
        """Return the latest time at which the byte that is read next may have arrived."""
        while len(self.stamps) > 1 and self.stamps[0][0] <= self.position:
            self.stamps.popleft()
        return self.stamps[0][1]

    async def until(self, mark: bytes) -> bytes:
        found = await self.readuntil(mark)
        self.position += len(found)
        return found

    async def exactly(self, count: int) -> bytes:
        found = await self.readexactly(count)
        self.position += len(found)
        return found


class _Session:
    """One connection."""

    def __init__(
        self, sink: CountingSink, reader: _TimestampedReader, writer: asyncio.StreamWriter
    ) -> None:
        self.sink, self.reader, self.writer = sink, reader, writer
        self.messages = 0
        self.began = 0.0
        self.clear()

    async def run(self) -> None:
        self.sink.sessions.add(self)
        self.sink.counts["connections"] += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, _SessionOver):
            await self.send_reply("220 sink ESMTP")
            while True:
                await self.command()
        self.sink.sessions.discard(self)
        self.writer.close()

    def clear(self) -> None:
        self.has_sender, self.recipient, self.content = False, "", b""

    async def send_reply(self, reply: str) -> None:
        if self.writer.is_closing():
            raise _SessionOver
        self.writer.write(reply.encode() + b"\r\n")
        if reply.startswith("421"):
            # A close with unread commands would make the network drop the last replies.
            self.writer.write_eof()
            await self.reader.read()
            raise _SessionOver

    async def command(self) -> None:
        line = (await self.reader.until(b"\n")).decode("utf-8", "replace").strip()
        verb, _, argument = line.partition(" ")
        match verb.upper():
            case "EHLO" | "HELO":
                names = "".join(f"250-{name}\r\n" for name in self.sink.orders.extensions)
                await self.send_reply(names + "250 HELP")
            case "MAIL":
                await self.mail(len(line) + 2)
            case "RCPT":
                await self.rcpt(argument.partition("<")[2].partition(">")[0])
            case "DATA":
                await self.data()
            case "BDAT":
                size, _, last = argument.partition(" ")
                await self.bdat(int(size), is_last=last.upper() == "LAST")
            case "RSET" | "NOOP":
                self.clear()
                await self.send_reply(_OK)
            case "QUIT":
                await self.send_reply("221 bye")
                raise _SessionOver
            case _:
                await self.send_reply("500 5.5.1 what?")

    async def mail(self, length: int) -> None:
        self.reader.position -= length
        self.began = self.reader.arrived()
        self.reader.position += length
        self.clear()
        most = self.sink.orders.messages_per_connection
        if most and self.messages >= most:
            self.sink.counts["too many messages"] += 1
            await self.send_reply("421 4.7.0 enough messages on this connection")
        reply = await self.do(self.sink.action_at("MAIL", ""), otherwise="250 2.1.0 OK")
        self.has_sender = reply.startswith("2")

    async def rcpt(self, recipient: str) -> None:
        if not self.has_sender:
            await self.send_reply("503 5.5.1 MAIL first")
            return
        reply = await self.do(self.sink.action_at("RCPT", recipient), otherwise="250 2.1.5 OK")
        if reply.startswith("2"):
            self.recipient = recipient

    async def data(self) -> None:
        if not self.recipient:
            await self.send_reply("554 5.5.1 no valid recipients")
            return
        await self.send_reply("354 go on")
        if self.sink.action_at("BODY", self.recipient):
            await self.reader.exactly(500)
            self.disconnect()
        self.content = await self.reader.exactly(3)
        if self.content != b".\r\n":
            self.content += await self.reader.until(b"\r\n.\r\n")
        await self.end()

    async def bdat(self, size: int, *, is_last: bool) -> None:
        if self.recipient and self.sink.action_at("BODY", self.recipient):
            await self.reader.exactly(size // 2)
            self.disconnect()
        self.content += await self.reader.exactly(size)
        if not self.recipient:
            await self.send_reply("503 5.5.1 no valid recipients")
        elif is_last:
            await self.end()
        else:
            await self.send_reply(_OK)

    async def end(self) -> None:
        """Count the message, whose last byte is here, whether or not it is answered."""
        found = _MESSAGE_ID.search(self.content)
        message_id = found[1].decode() if found else ""
        what = self.sink.action_at("END", self.recipient)
        taken = Taken(self.recipient, message_id, self.began, time.monotonic())
        if what in {None, SILENT, CUT}:
            self.sink.taken.append(taken)
        self.messages += 1
        self.clear()
        if pace := self.sink.orders.pace:
            await asyncio.sleep(pace)
        await self.do(what, otherwise=_OK)
        taken.answered = True

    async def do(self, what: str | None, *, otherwise: str) -> str:
        if what == SILENT:
            await self.reader.read()
            raise _SessionOver
        if what == CUT:
            self.disconnect()
        reply = what or otherwise
        await self.send_reply(reply)
        return reply

    def disconnect(self) -> None:
        self.writer.transport.abort()
        raise _SessionOver


class _SessionOver(Exception):
    """The connection has ended."""


class _Server:
    """The listening socket, which can go away and come back, and the control port."""

    def __init__(self) -> None:
        self.sink = CountingSink()
        self.port = 0
        self.listening: asyncio.Server | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def up(self) -> None:
        if self.listening:
            return
        loop = asyncio.get_running_loop()
        self.listening = await loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self.listening.sockets[0].getsockname()[1]

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        reader = _TimestampedReader()

        async def run(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _Session(self.sink, reader, writer).run()

        return asyncio.StreamReaderProtocol(reader, run)

    def down(self) -> None:
        if self.listening:
            self.listening.close()
            self.listening = None
        for session in list(self.sink.sessions):
            session.writer.transport.abort()

    async def obey(self, order: dict[str, Any]) -> Any:
        match order.pop("order"):
            case "reset":
                self.sink.reset()
                await self.up()
            case "behave":
                rules = [FaultRule(**rule) for rule in order.pop("rules", [])]
                self.sink.orders = Orders(**order, rules=rules)
            case "down":
                self.down()
            case "up":
                await self.up()
            case "count":
                return len(self.sink.taken)
            case "counts":
                return self.sink.counts
            case "taken":
                return [asdict(taken) for taken in self.sink.taken]
        return None

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await self.obey(json.loads(line))
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()


async def _main() -> None:
    server = _Server()
    await server.up()
    control = await asyncio.start_server(server.control, "127.0.0.1", 0)
    ports = {"smtp": server.port, "control": control.sockets[0].getsockname()[1]}
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
