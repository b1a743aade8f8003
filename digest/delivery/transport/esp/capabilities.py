"""List what each ESP takes in one request, and what text it would read as a merge field."""

from __future__ import annotations

import re
from dataclasses import dataclass

from subscribers.mail.backends import esp_name


@dataclass(frozen=True)
class MergeFields:
    """The request is one message with merge fields, and each reader's values."""

    # How a field is written in the message, and the name of its value.
    placeholder: str
    key: str
    # Other text that the ESP would read as a merge field.
    reserved: re.Pattern[str]


@dataclass(frozen=True)
class Esp:
    """What Daybreak must know of one ESP; anymail knows its tags, metadata and tracking."""

    batch: MergeFields | None = None
    # Whether the ESP uses the envelope sender that we name, so that our own VERP works.
    envelope: bool = False
    # Whether the ESP keeps our Message-ID. For the others, the metadata in an event names its
    # message.
    message_id: bool = False
    # The headers that the ESP needs to keep the Message-ID.
    headers: tuple[tuple[str, str], ...] = ()
    # Text that the ESP may read as a merge field even in a single message, and that has no escape.
    merge_syntax: re.Pattern[str] | None = None


_BRACES = re.compile(r"\{[{%$]")
# One row per ESP of django-anymail 15, from its documentation and the ESPs' own. A batch needs
# merge fields in a message that is not stored at the ESP, and a List-Unsubscribe header and an
# answer for each reader. An ESP that lacks one of these gets one message at a time.
ESPS = {
    "amazon_ses": Esp(envelope=True),  # bulk mail needs templates that are stored at the ESP
    "brevo": Esp(merge_syntax=_BRACES),
    "mailersend": Esp(merge_syntax=_BRACES),  # bulk mail gets no answer per reader
    "mailgun": Esp(
        batch=MergeFields(
            placeholder="%recipient.daybreak_{}%",
            key="daybreak_{}",
            reserved=re.compile(r"%recipient", re.IGNORECASE),
        ),
        merge_syntax=re.compile(r"%((mailing_list|tag)_)?unsubscribe_(url|email)%"),
    ),
    "mailjet": Esp(),
    "mailtrap": Esp(),
    "mandrill": Esp(),  # no headers per reader
    "postal": Esp(envelope=True, message_id=True),
    "postmark": Esp(message_id=True, headers=(("X-PM-KeepID", "true"),)),
    "resend": Esp(),
    "scaleway": Esp(),
    "sendgrid": Esp(
        batch=MergeFields(
            placeholder="-daybreak_{}-", key="-daybreak_{}-", reserved=re.compile(r"-daybreak_")
        ),
        message_id=True,
    ),
    "sparkpost": Esp(envelope=True, merge_syntax=_BRACES),  # replaces List-Unsubscribe with its own
    "unisender_go": Esp(merge_syntax=_BRACES),
}
# A Django backend that is not an ESP takes the message as it is.
DJANGO = Esp(envelope=True, message_id=True)


def esp_of(backend: str) -> Esp:
    """Return the row of the backend with this dotted path."""
    name = esp_name(backend)
    return ESPS.get(name, Esp()) if name else DJANGO


def find_merge_syntax(text: str, *, esp: Esp) -> str:
    """Return the text that the ESP would read as a merge field in a single message, or ""."""
    found = esp.merge_syntax and esp.merge_syntax.search(text)
    return found[0] if found else ""
