"""Read a finished message back into the parts that an e-mail backend is handed."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, quote
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import MIMEMixin

from digest.delivery.outgoing import Outgoing

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


def read(outgoing: Outgoing) -> Letter:
    """Take the message apart that `personalise` has made, so that there is one way to make it."""
    message = message_from_bytes(outgoing.message)
    values = {name: _decoded(value) for name, value in message.items()}
    text, html = (_body(part) for part in message.get_payload())
    reply_to = values.get("Reply-To")
    return Letter(
        outgoing=outgoing,
        subject=values["Subject"],
        from_email=_address(message["From"]),
        to=_address(message["To"]),
        address=parseaddr(message["To"])[1],
        reply_to=(reply_to,) if reply_to else (),
        message_id=values["Message-ID"],
        headers={name: v for name, v in values.items() if name.lower() not in _NOT_EXTRA},
        text=text,
        html=html,
    )


class Written(EmailMultiAlternatives):
    """A mail whose MIME form is already written, for backends that send that as it is."""

    written = b""

    def message(self) -> Any:  # type: ignore[override]
        return message_from_bytes(self.written, _class=_WrittenMessage)


class _WrittenMessage(MIMEMixin, Message):  # type: ignore[misc]
    """Django's backends want its `as_bytes(linesep=…)`."""


def _decoded(value: str) -> str:
    return str(make_header(decode_header("".join(value.splitlines()))))


def _address(value: str) -> str:
    """`"Display" <address>` with the display name in plain Unicode."""
    display, address = parseaddr("".join(value.splitlines()))
    return f'"{quote(_decoded(display))}" <{address}>' if display else address


def _body(part: Any) -> str:
    body: str = part.get_payload(decode=True).decode()
    return body.replace("\r\n", "\n")
