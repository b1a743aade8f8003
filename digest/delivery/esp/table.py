"""Know what each ESP takes in one request, and what it would mistake for a merge field."""

from __future__ import annotations

import re
from dataclasses import dataclass

from subscribers.backends import esp_name

# The ledger's window: no more messages than that are ever under way on one connection.
MOST = 20


@dataclass(frozen=True)
class Bodies:
    """The request is a list of whole messages: nothing is merged, so nothing can be mistaken."""

    # The names that a message's bodies have in the JSON.
    text: str
    html: str
    # Where the list stands, and what it shares; "" where the list is all there is.
    entries: str = ""
    shared: str = ""
    # The answer is a list as well, in the same order, with errors beside acceptances.
    answers: bool = False


@dataclass(frozen=True)
class Fields:
    """The request is one message with merge fields, and each reader's values."""

    # How a field stands in the message, and what its value is called.
    written: str
    key: str
    # What else the ESP would take for a field of its own.
    taken: re.Pattern[str]


@dataclass(frozen=True)
class Esp:
    """What Daybreak needs to know of one ESP; tags, metadata and tracking are anymail's table."""

    batch: Bodies | Fields | None = None
    # It sends from the envelope sender that we name, so that our own VERP works.
    envelope: bool = False
    # It leaves our Message-ID alone; elsewhere the metadata tell which message an event is about.
    message_id: bool = False
    # It needs these headers for that.
    headers: tuple[tuple[str, str], ...] = ()
    # What it may take for a field even in a single message, with no way to say that it is none.
    renders: re.Pattern[str] | None = None


_BRACES = re.compile(r"\{[{%$]")
# One row per ESP of django-anymail 15, from its documentation and the ESPs' own. A batch needs
# List-Unsubscribe per reader and an answer per reader; who lacks either gets one message at a time.
ESPS = {
    "amazon_ses": Esp(envelope=True),  # bulk only from templates that are stored there
    "brevo": Esp(renders=_BRACES),
    "mailersend": Esp(renders=_BRACES),  # takes bulk mail without an answer
    "mailgun": Esp(
        batch=Fields(
            written="%recipient.daybreak_{}%",
            key="daybreak_{}",
            taken=re.compile(r"%recipient", re.IGNORECASE),
        ),
        renders=re.compile(r"%((mailing_list|tag)_)?unsubscribe_(url|email)%"),
    ),
    "mailjet": Esp(batch=Bodies("TextPart", "HTMLPart", entries="Messages", shared="Globals")),
    "mailtrap": Esp(batch=Bodies("text", "html", entries="requests", shared="base")),
    "mandrill": Esp(),  # no header per reader
    "postal": Esp(envelope=True, message_id=True),
    # https://postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails
    "postmark": Esp(
        batch=Bodies("TextBody", "HtmlBody", answers=True),
        message_id=True,
        headers=(("X-PM-KeepID", "true"),),
    ),
    "resend": Esp(batch=Bodies("text", "html")),
    "scaleway": Esp(),
    "sendgrid": Esp(
        batch=Fields(written="-daybreak_{}-", key="-daybreak_{}-", taken=re.compile(r"-daybreak_")),
        message_id=True,
    ),
    "sparkpost": Esp(envelope=True, renders=_BRACES),  # and List-Unsubscribe becomes its own
    "unisender_go": Esp(renders=_BRACES),
}
# A backend of Django's that is no ESP takes the message as it is.
DJANGO = Esp(envelope=True, message_id=True)


def esp_of(backend: str) -> Esp:
    """The row of the backend with this dotted path."""
    name = esp_name(backend)
    return ESPS.get(name, Esp()) if name else DJANGO


def mistakable(text: str, *, esp: Esp) -> str:
    """What the ESP would not leave as it is even in a message of its own; "" for nothing."""
    found = esp.renders and esp.renders.search(text)
    return found[0] if found else ""
