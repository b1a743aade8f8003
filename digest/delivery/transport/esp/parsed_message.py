"""Parse a finished message into the parts that an e-mail backend needs."""

from __future__ import annotations

import quopri
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, quote
from html import escape
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import MIMEMixin

from digest.delivery.transport.base import Outgoing
from digest.rendering.personalise import BOUNDARY

_BOUNDARY = b"--" + BOUNDARY.encode()
# Headers that are passed as separate fields, or that the backend writes itself.
_NOT_EXTRA = {
    "subject", "from", "to", "reply-to", "date", "message-id", "mime-version", "content-type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A reader's message in decoded parts."""

    outgoing: Outgoing
    subject: str
    from_email: str
    to: str
    # The address in `to` without the name, in ASCII: the backend reports statuses by it.
    address: str
    reply_to: tuple[str, ...]
    message_id: str
    headers: dict[str, str] = field(hash=False)
    text: str = ""
    html: str = ""

    @property
    def tags(self) -> list[str]:
        """The newsletter and the edition; the newsletter is first, as some ESPs take one tag."""
        newsletter = self.headers.get("Feedback-ID", ":").split(":")[1]
        edition = f"edition-{self.outgoing.reader.edition_id}"
        return [tag for tag in (newsletter, edition) if tag]

    @property
    def visible_text(self) -> str:
        """All text that the reader would see."""
        return f"{self.subject}\n{self.text}\n{self.html}"

    @property
    def edition_text(self) -> str:
        """The same text without the reader's own values, which the edition does not control."""
        reader, text = self.outgoing.reader, self.visible_text
        own = {reader.unsubscribe_url, reader.preferences_url, reader.email}
        # The longest value first, because one may contain another.
        for value in sorted(own | {escape(value) for value in own}, key=len, reverse=True):
            text = text.replace(value, "\n")
        return text


def parse_message(outgoing: Outgoing) -> ParsedMessage:
    """Parse the message that `personalise` has made, so that there is only one way to make it.

    The message is cut at its boundary. The email package reads it line by line, which takes three
    times as long.
    """
    head, _, body = outgoing.message.partition(b"\r\n\r\n")
    headers = message_from_bytes(head)
    values = {name: _decoded(value) for name, value in headers.items()}
    _, text, html, _ = body.split(_BOUNDARY)
    reply_to = values.get("Reply-To")
    return ParsedMessage(
        outgoing=outgoing,
        subject=values["Subject"],
        from_email=_address(headers["From"]),
        to=_address(headers["To"]),
        address=parseaddr(headers["To"])[1],
        reply_to=(reply_to,) if reply_to else (),
        message_id=values["Message-ID"],
        headers={name: v for name, v in values.items() if name.lower() not in _NOT_EXTRA},
        text=_body(text),
        html=_body(html),
    )


class PrebuiltMail(EmailMultiAlternatives):
    """A mail whose MIME form is already built, for backends that send it as it is."""

    raw = b""

    def message(self) -> Any:  # type: ignore[override]
        return message_from_bytes(self.raw, _class=_PrebuiltMessage)


class _PrebuiltMessage(MIMEMixin, Message):  # type: ignore[misc]
    """A message with the `as_bytes(linesep=…)` that Django's backends call."""


def _decoded(value: str) -> str:
    line = "".join(value.splitlines())
    return str(make_header(decode_header(line))) if "=?" in line else line


def _address(value: str) -> str:
    """Return `"Display" <address>` with the display name in plain Unicode."""
    display, address = parseaddr("".join(value.splitlines()))
    return f'"{quote(_decoded(display))}" <{address}>' if display else address


def _body(part: bytes) -> str:
    """Return a part's text, without its headers and the line break that belongs to the boundary."""
    encoded = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    return quopri.decodestring(encoded).decode().replace("\r\n", "\n")
