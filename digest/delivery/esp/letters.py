"""Read a finished message back into the parts that an e-mail backend is handed."""

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

from digest.delivery.outgoing import Outgoing
from digest.rendering.personalise import BOUNDARY

_BOUNDARY = b"--" + BOUNDARY.encode()
# These go as fields of their own, or are the backend's business.
_NOT_EXTRA = {
    "subject", "from", "to", "reply-to", "date", "message-id", "mime-version", "content-type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Letter:
    """A reader's message in parts; nothing of it is encoded any more."""

    outgoing: Outgoing
    subject: str
    from_email: str
    to: str
    # The address of `to`, alone and in ASCII: under it the backend reports.
    address: str
    reply_to: tuple[str, ...]
    message_id: str
    headers: dict[str, str] = field(hash=False)
    text: str = ""
    html: str = ""

    @property
    def tags(self) -> list[str]:
        """The newsletter and the edition, the more telling first: some ESPs take only one."""
        newsletter = self.headers.get("Feedback-ID", ":").split(":")[1]
        edition = f"edition-{self.outgoing.reader.edition_id}"
        return [tag for tag in (newsletter, edition) if tag]

    @property
    def words(self) -> str:
        """All that the reader would see."""
        return f"{self.subject}\n{self.text}\n{self.html}"

    @property
    def editions_words(self) -> str:
        """The same without the reader's own values, which others could have chosen."""
        reader, words = self.outgoing.reader, self.words
        own = {reader.unsubscribe_url, reader.preferences_url, reader.email}
        # The longest first: one may stand within another.
        for value in sorted(own | {escape(value) for value in own}, key=len, reverse=True):
            words = words.replace(value, "\n")
        return words


def read(outgoing: Outgoing) -> Letter:
    """Take the message apart that `personalise` has made, so that there is one way to make it.

    Cut at its boundary: the email package goes line by line, which takes three times as long.
    """
    head, _, body = outgoing.message.partition(b"\r\n\r\n")
    headers = message_from_bytes(head)
    values = {name: _decoded(value) for name, value in headers.items()}
    _, text, html, _ = body.split(_BOUNDARY)
    reply_to = values.get("Reply-To")
    return Letter(
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


class Written(EmailMultiAlternatives):
    """A mail whose MIME form is already written, for backends that send that as it is."""

    written = b""

    def message(self) -> Any:  # type: ignore[override]
        return message_from_bytes(self.written, _class=_WrittenMessage)


class _WrittenMessage(MIMEMixin, Message):  # type: ignore[misc]
    """Django's backends want its `as_bytes(linesep=…)`."""


def _decoded(value: str) -> str:
    line = "".join(value.splitlines())
    return str(make_header(decode_header(line))) if "=?" in line else line


def _address(value: str) -> str:
    """`"Display" <address>` with the display name in plain Unicode."""
    display, address = parseaddr("".join(value.splitlines()))
    return f'"{quote(_decoded(display))}" <{address}>' if display else address


def _body(part: bytes) -> str:
    """Its headers are always the same; the line break before the boundary is the boundary's."""
    encoded = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    return quopri.decodestring(encoded).decode().replace("\r\n", "\n")
