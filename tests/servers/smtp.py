"""An SMTP server that does what a test's script says, up to closing the connection."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from subscribers.mail.relays import Relay, parse_relay

# What a script may return instead of a reply: CUT closes the connection, STALL stays silent.
CUT, STALL = "cut", "stall"
_DEFAULT_REPLIES = {
    "GREETING": "220 ready",
    "STARTTLS": "220 go on",
    "AUTH": "235 welcome",
    "DATA": "354 go on",
    "QUIT": "221 bye",
}


@dataclass
class ScriptedServer:
    """Answer as RFC 5321 asks unless `script` says otherwise.

    `script(verb, line, server)` returns a reply, None for the usual one, CUT or STALL. The verbs
    are GREETING, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, RSET, QUIT and these two:

    - BDAT: its command has arrived, its content has not. None: then the content is read.
    - CONTENT: the final dot or the whole chunk has arrived. `line` is the recipient.
    """

    script: Callable[[str, str, ScriptedServer], str | None] = lambda verb, line, server: None
    extensions: tuple[str, ...] = ("SIZE 1000000",)
    # Faults of the server.
    closes_after: int | None = None  # bytes of a connection that are read before it is closed
    drops_pipelined: bool = False  # input that arrived together with a command is dropped
    drops_after_content: bool = False  # and input that arrived together with a final dot
    reads_refused_bdat: bool = False  # the content of a refused BDAT is read as commands
    accepts_data_without_recipient: bool = False  # DATA is answered 354 without a recipient
    replies_byte_by_byte: bool = False  # replies byte by byte
    batches_replies: bool = False  # replies wait until no command is left to read, as in Postfix
    reply_padding: int = 0  # bytes of extra text in each reply to a message
    seconds: float = 0.0  # that it takes to answer a message
    context: ssl.SSLContext | None = None  # TLS
    starttls: bool = False  # TLS begins at STARTTLS, not with the connection

    port: int = 0
    connections: int = 0
    # (recipient, content) of each message whose end arrived, answered or not.
    arrived: list[tuple[str, bytes]] = field(default_factory=list)
    # (sender, recipient) of each message that was accepted, even if its answer was lost.
    taken: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    open_now: list[socket.socket] = field(default_factory=list)

    @property
    def relay(self) -> Relay:
        scheme = "smtp" if not self.context else "smtp+starttls" if self.starttls else "smtps"
        return parse_relay(f"{scheme}://127.0.0.1:{self.port}")

    def disconnect(self) -> None:
        """Close every connection, which ends the sessions that stall."""
        for client in self.open_now:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def send_raw(self, data: bytes) -> None:
        """Send bytes that belong to no reply."""
        self.open_now[-1].sendall(data)


@contextmanager
def running(server: ScriptedServer) -> Iterator[ScriptedServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]
        threading.Thread(target=_accept, args=[listening, server], daemon=True).start()
        yield server
        # This ends accept() and every session that stalls.
        listening.shutdown(socket.SHUT_RDWR)
        server.disconnect()


def _accept(listening: socket.socket, server: ScriptedServer) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listening.accept()
            server.connections += 1
            server.open_now.append(client)
            threading.Thread(target=_serve, args=[client, server], daemon=True).start()


def _serve(client: socket.socket, server: ScriptedServer) -> None:
    with contextlib.suppress(OSError, _End):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = _Session(client, server)
        try:
            if server.context and not server.starttls:
                session.encrypt()
            session.run()
        finally:
            session.client.close()


class _End(Exception):
    """The session is over."""


class _Session:
    def __init__(self, client: socket.socket, server: ScriptedServer) -> None:
        self.client, self.server = client, server
        self.buffer, self.unsent = b"", b""
        self.bytes_left = float("inf") if server.closes_after is None else server.closes_after
        self.sender: str | None = None
        self.recipient: str | None = None

    def run(self) -> None:
        self.reply_to("GREETING")
        while True:
            line = self.line().decode()
            self.server.lines.append(line)
            if self.server.drops_pipelined:
                self.buffer = b""
            self.command(re.split("[ :]", line)[0].upper(), line)

    def encrypt(self) -> None:
        assert self.server.context
        self.client = self.server.context.wrap_socket(self.client, server_side=True)
        self.server.open_now.append(self.client)

    def command(self, verb: str, line: str) -> None:
        address = line.partition("<")[2].partition(">")[0]
        if verb == "MAIL" and self.sender is not None:
            self.answer(b"503 5.5.1 nested MAIL")
        elif verb == "RCPT" and self.sender is None:
            self.answer(b"503 5.5.1 MAIL first")
        elif (
            verb == "DATA"
            and self.recipient is None
            and not self.server.accepts_data_without_recipient
        ):
            self.answer(b"503 5.5.1 RCPT first")
        elif verb == "BDAT":
            self.bdat(line)
        elif verb in {
            "EHLO",
            "HELO",
            "STARTTLS",
            "AUTH",
            "MAIL",
            "RCPT",
            "DATA",
            "RSET",
            "QUIT",
            "NOOP",
        }:
            good = self.reply_to(verb, line)
            if verb == "RSET":  # RFC 5321, section 4.1.1.5: RSET cannot be refused
                self.sender = self.recipient = None
            elif verb == "MAIL" and good:
                self.sender = address
            elif verb == "RCPT" and good:
                self.recipient = address
            elif verb == "DATA" and good:
                self.data()
            elif verb == "STARTTLS" and good:
                self.encrypt()
        else:
            self.answer(b"500 5.5.2 unknown command")

    def data(self) -> None:
        content = bytearray()
        while (line := self.line()) != b".":
            content += (line[1:] if line.startswith(b".") else line) + b"\r\n"
        if self.server.drops_after_content:
            self.buffer = b""
        self.end(bytes(content))

    def bdat(self, line: str) -> None:
        length = int(line.split()[1])
        reply = self.server.script("BDAT", line, self.server)
        if reply in {CUT, STALL}:
            self.end_with(reply)
        if reply is None and self.recipient is None:
            reply = "503 5.5.1 RCPT first"
        if not (reply and self.server.reads_refused_bdat):
            content = self.exactly(length)
        if reply:
            self.answer(reply.encode())
        else:
            self.end(content)

    def end(self, content: bytes) -> None:
        sender, recipient = self.sender or "", self.recipient or ""
        self.server.arrived.append((recipient, content))
        self.sender = self.recipient = None
        time.sleep(self.server.seconds)
        reply = self.server.script("CONTENT", recipient, self.server)
        # A server that dies before its answer may have queued the message.
        is_taken = reply is None or reply in {CUT, STALL} or reply.startswith("2")
        if recipient and is_taken:
            self.server.taken.append((sender, recipient))
        if reply in {CUT, STALL}:
            self.end_with(reply)
        padding = (b"250-" + b"x" * 994 + b"\r\n") * (self.server.reply_padding // 1000)
        self.answer(padding + ("250 2.0.0 taken" if reply is None else reply).encode())

    def reply_to(self, verb: str, line: str = "") -> bool:
        """Answer, and return whether the reply is positive."""
        reply = self.server.script(verb, line, self.server)
        if reply in {CUT, STALL}:
            self.end_with(reply)
        if reply is None:
            reply = _DEFAULT_REPLIES.get(verb, "250 OK")
            if verb == "EHLO":
                offered = "".join(f"250-{name}\r\n" for name in self.server.extensions)
                reply = f"250-hello\r\n{offered}250 8BITMIME"
        self.answer(reply.encode())
        if verb == "QUIT" or reply.startswith("421"):
            self.flush()
            raise _End
        return reply[:1] == ("3" if verb == "DATA" else "2")

    def end_with(self, reply: str | None) -> None:
        self.flush()
        if reply == STALL:
            while self.client.recv(65536):
                pass
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_RDWR)
        raise _End

    def answer(self, reply: bytes) -> None:
        self.unsent += reply + b"\r\n"
        if not self.server.batches_replies:
            self.flush()

    def flush(self) -> None:
        unsent, self.unsent = self.unsent, b""
        if self.server.replies_byte_by_byte:
            for byte in unsent:
                self.client.sendall(bytes([byte]))
        else:
            self.client.sendall(unsent)

    def line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.receive()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def exactly(self, length: int) -> bytes:
        while len(self.buffer) < length:
            self.receive()
        content, self.buffer = self.buffer[:length], self.buffer[length:]
        return content

    def receive(self) -> None:
        self.flush()
        if not self.bytes_left:
            self.end_with(CUT)
        data = self.client.recv(65536)
        if not data:
            raise _End
        # Input before the disconnect is still answered.
        data = data[: int(min(self.bytes_left, len(data)))]
        self.bytes_left -= len(data)
        self.buffer += data
