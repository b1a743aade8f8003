"""An HTTP server that answers as an ESP's API does, and an edition to send to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from digest.delivery.transport.base import Outgoing
from digest.delivery.transport.connect import connect
from digest.editions.decide.approve import approve
from digest.rendering.freeze import freeze
from digest.rendering.identifiers import verp_sender
from digest.rendering.personalise import personalise
from digest.rendering.readers import reader_for
from tests import factories
from tests.factories import NOW

# An HTTP status and a body; a status of 0 disconnects instead of answering.
Reply = tuple[int, Any]


@dataclass
class Post:
    """One POST request as it was received."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, Any]:
        """Return the form's fields; `to` is a list, because it may occur more than once."""
        if b"form-data" not in self.headers.get("Content-Type", "").encode():
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True)
        else:
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            parsed = BytesParser(policy=policy.HTTP).parsebytes(head + self.body)
            pairs = [(_name(part), part.get_content()) for part in parsed.iter_parts()]
        found: dict[str, Any] = {}
        for name, value in pairs:
            found[name] = [*found[name], value] if name in found else [value]
        return {name: v if name == "to" else v[0] for name, v in found.items()}


def _name(part: EmailMessage) -> str:
    return str(part.get_param("name", header="Content-Disposition"))


@dataclass
class EspServer:
    """A server whose `answer` replies to each POST; `posts` are the POSTs so far."""

    url: str = ""
    answer: Callable[[Post], Reply] = lambda post: (200, {})
    posts: list[Post] = field(default_factory=list)
    # Setting it releases an answer that was held back.
    release: threading.Event = field(default_factory=threading.Event)
    server: Any = None

    def hang(self, post: Post) -> Reply:
        self.release.wait(30)
        return 0, None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, esp: EspServer, *args: Any) -> None:
        self.esp = esp
        super().__init__(*args)

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        post = Post(self.path, dict(self.headers), body)
        self.esp.posts.append(post)
        status, reply = self.esp.answer(post)
        if not status:
            self.close_connection = True
            return
        raw = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def esp_server() -> Iterator[EspServer]:
    esp = EspServer()
    esp.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, esp))
    esp.server.daemon_threads = True
    esp.server.block_on_close = False
    esp.url = f"http://127.0.0.1:{esp.server.server_port}"
    thread = threading.Thread(target=esp.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield esp
    esp.release.set()
    esp.server.shutdown()
    esp.server.server_close()
    thread.join(5)


# --- Postmark -----------------------------------------------------------------------------------
# https://postmarkapp.com/developer/api/email-api


def postmark(post: Post, refused: dict[str, tuple[int, str]] | None = None) -> Reply:
    """Accept the message unless its recipient is in `refused`: {address: (code, message)}."""
    to = post.json["To"]
    for address, (code, text) in (refused or {}).items():
        if address in to:
            return 422, {"ErrorCode": code, "Message": text}
    return 200, {"ErrorCode": 0, "Message": "OK", "MessageID": "id-1", "To": to}


# --- Mailgun ------------------------------------------------------------------------------------
# https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending


def mailgun(post: Post) -> Reply:
    return 200, {"id": "<1.2@mg.example.com>", "message": "Queued. Thank you."}


def mailgun_delivers(post: Post) -> dict[str, dict[str, str]]:
    """Return what Mailgun makes of the request for each reader: {address: {field: text}}."""
    form = post.form
    variables = json.loads(form.get("recipient-variables", "{}"))
    delivered = {}
    for to in form["to"]:
        address = to.partition("<")[2].strip(">") or to
        delivered[address] = {"to": to}
        for name, value in form.items():
            if name in ("to", "recipient-variables"):
                continue
            for key, own in variables.get(address, {}).items():
                value = value.replace(f"%recipient.{key}%", own)
            delivered[address][name] = value
    return delivered


# --- What is sent to it ------------------------------------------------------------------------


def frozen_with(headline):
    newsletter = factories.newsletter(
        name="Häppchen", sender_name="Café, Daily", reply_to="desk@example.com"
    )
    section = factories.section(newsletter, name="Sport")
    edition = factories.edition(newsletter, stories=1, subject=f"Today: {headline}", sends_at=NOW)
    story = factories.story(newsletter, title=headline, summary=f"Why {headline}?")
    factories.item(edition, story, position=8)
    sport = factories.story(newsletter, title="The final", section=section)
    factories.item(edition, sport, position=9, section=section)
    approve(edition_id=edition.pk, now=NOW)
    return freeze(edition_id=edition.pk, now=NOW)


def outgoing(page, n, *, email="", muted=frozenset()):
    reader = reader_for(
        edition_id=page.edition_id,
        subscription_id=n,
        email=email or f"reader{n}@example.com",
        name=f"Reader Nº {n}" if n % 2 else "",
        muted_sections=muted,
        date=NOW,
    )
    return Outgoing(
        key=1000 + n,
        sender=verp_sender(page.edition_id, n),
        recipient=reader.email,
        message=personalise(page, reader),
        reader=reader,
    )


def send(relay, page, copies, should_stop=lambda: False):
    """Send the copies; return their outcomes {key: outcome} and the closed transport."""
    with connect(relay, should_stop=should_stop, frozen=page) as transport:
        for copy in copies:
            transport.put(copy)
        return dict(transport.take()), transport


def verdicts(outcomes):
    return [outcome.verdict for outcome in outcomes.values()]
