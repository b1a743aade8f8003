"""An SMTP server that does as a test's script says, down to cutting the line."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from subscribers.relays import Relay, parse_relay


@dataclass
class Scripted:
    """Answers 250 to everything unless `script` says otherwise.

    `script(verb, line, server)` returns a reply, None for the usual one, or CUT to close the
    connection without one. The verbs are GREETING, EHLO, MAIL, RCPT, DATA, CONTENT, RSET, QUIT.
    """

    script: Callable[[str, str, Scripted], str | None] = lambda verb, line, server: None
    extensions: tuple[str, ...] = ("SIZE 1000000",)
    port: int = 0
    connections: int = 0
    # (recipient, content) of each message whose final dot arrived, answered or not.
    arrived: list[tuple[str, bytes]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def relay(self) -> Relay:
        return parse_relay(f"smtp://127.0.0.1:{self.port}")


CUT = "cut"
_USUAL = {"GREETING": "220 ready", "DATA": "354 go on", "QUIT": "221 bye"}


@contextmanager
def running(server: Scripted) -> Iterator[Scripted]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]
        threading.Thread(target=_accept, args=[listening, server], daemon=True).start()
        yield server
        # Wakes the accept() up.
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, server: Scripted) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listening.accept()
            server.connections += 1
            threading.Thread(target=_session, args=[client, server], daemon=True).start()


def _session(client: socket.socket, server: Scripted) -> None:
    with client, client.makefile("rwb") as file, contextlib.suppress(OSError):

        def say(verb: str, line: str = "") -> bool:
            reply = server.script(verb, line, server)
            if reply == CUT:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
                return False
            if reply is None:
                reply = _USUAL.get(verb, "250 OK")
                if verb == "EHLO":
                    reply = "\r\n".join(
                        [
                            "250-hello",
                            *(f"250-{name}" for name in server.extensions),
                            "250 8BITMIME",
                        ]
                    )
            file.write(reply.encode() + b"\r\n")
            file.flush()
            return verb != "QUIT" and not reply.startswith("421")

        recipient = ""
        going = say("GREETING")
        while going and (raw := file.readline()):
            line = raw.decode().rstrip("\r\n")
            server.lines.append(line)
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb == "RCPT":
                recipient = line.partition("<")[2].rstrip(">")
            going = say(verb, line)
            if verb == "DATA" and going:
                content = bytearray()
                while (raw := file.readline()) not in (b".\r\n", b""):
                    content += raw[1:] if raw.startswith(b".") else raw
                if not raw:
                    return
                server.arrived.append((recipient, bytes(content)))
                going = say("CONTENT", recipient)
