"""Build Django mails from readers' messages: one for each reader, or one for several readers."""

from __future__ import annotations

import quopri
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from django.core.mail import EmailMultiAlternatives

from digest.delivery.esp.letters import Letter, Written
from digest.delivery.esp.table import DJANGO, Esp, Fields
from digest.rendering.personalise import FrozenPage, Reader


def groups(letters: Iterable[Letter], *, esp: Esp) -> list[list[Letter]]:
    """Group the messages that may share a request, in order: one edition, and no address twice.

    Where one body is merged for a group, its readers have also muted the same sections. Readers
    with a name or address that the ESP would read as a merge field form groups of their own.
    """
    found: dict[Any, list[list[Letter]]] = {}
    for letter in letters:
        kind: Any = (letter.subject, letter.from_email, letter.reply_to, letter.tags[-1])
        if isinstance(esp.batch, Fields):
            odd = bool(esp.batch.taken.search(letter.to))
            kind = (*kind, letter.outgoing.reader.muted_sections, odd)
        like = found.setdefault(kind, [])
        for group in like:
            # ESPs report by address, and some ignore its capitals.
            if letter.address.casefold() not in {one.address.casefold() for one in group}:
                group.append(letter)
                break
        else:
            like.append([letter])
    return [group for like in found.values() for group in like]


def alone(letter: Letter, *, esp: Esp) -> EmailMultiAlternatives:
    """Return one reader's message as a mail of its own."""
    mail = Written(**_parts([letter], _headers(letter, esp)))
    mail.attach_alternative(letter.html, "text/html")
    mail.written = letter.outgoing.message
    _mark(mail, letter, _edition(letter) | _delivery(letter))
    if esp is DJANGO:
        # In Django `from_email` is the envelope sender, and the From header is an extra header.
        mail.from_email = letter.outgoing.sender
        mail.extra_headers["From"] = letter.from_email
    elif esp.envelope:
        vars(mail)["envelope_sender"] = letter.outgoing.sender
    return mail


def together(
    letters: Sequence[Letter], *, esp: Esp, frozen: FrozenPage
) -> EmailMultiAlternatives | None:
    """Return one mail for a group, or None where not every reader would get their own message."""
    headers = [_headers(letter, esp) for letter in letters]
    common = dict(set(headers[0].items()).intersection(*(own.items() for own in headers)))
    mail = EmailMultiAlternatives(**_parts(letters, common))
    _mark(mail, letters[0], _edition(letters[0]))
    vars(mail).update(
        merge_metadata={letter.address: _delivery(letter) for letter in letters},
        merge_headers={
            letter.address: {name: value for name, value in own.items() if name not in common}
            for letter, own in zip(letters, headers, strict=True)
        },
    )
    if not isinstance(esp.batch, Fields):
        # `bodies` fills in the bodies: no reader's body may go to all.
        mail.body = ""
        mail.attach_alternative("", "text/html")
        vars(mail)["letters"] = letters
        return mail
    return mail if _merge(mail, letters, esp.batch, frozen) else None


def _parts(letters: Sequence[Letter], headers: dict[str, str]) -> dict[str, Any]:
    return {
        "subject": letters[0].subject,
        "body": letters[0].text,
        "from_email": letters[0].from_email,
        "to": [letter.to for letter in letters],
        "reply_to": letters[0].reply_to,
        "headers": headers,
    }


def _headers(letter: Letter, esp: Esp) -> dict[str, str]:
    own = {"Message-ID": letter.message_id} if esp.message_id else {}
    return letter.headers | own | dict(esp.headers)


def _mark(mail: EmailMultiAlternatives, letter: Letter, metadata: dict[str, str]) -> None:
    """Set the attributes that anymail reads in addition to Django's own."""
    vars(mail).update(tags=letter.tags, metadata=metadata, track_opens=False, track_clicks=False)


def _edition(letter: Letter) -> dict[str, str]:
    return {"edition": str(letter.outgoing.reader.edition_id)}


def _delivery(letter: Letter) -> dict[str, str]:
    return {"delivery": str(letter.outgoing.key)}


def _merge(
    mail: EmailMultiAlternatives, letters: Sequence[Letter], fields: Fields, frozen: FrozenPage
) -> bool:
    """Put merge fields in place of the readers' values; return False if a message would differ."""
    muted = letters[0].outgoing.reader.muted_sections
    text, html = (
        _segments(segments, muted) for segments in (frozen.text_segments, frozen.html_segments)
    )
    fixed = "".join(part for part, slot in (*text, *html) if not slot)
    if fields.taken.search(
        f"{mail.subject}{mail.from_email}{mail.to}{mail.reply_to}{mail.extra_headers}{fixed}"
    ):
        return False
    data = {}
    for letter in letters:
        plain = _values(letter.outgoing.reader)
        escaped = {f"{name}_html": escape(value) for name, value in plain.items()}
        # This proves that the messages were made from this page.
        if (letter.text, letter.html) != (_filled(text, plain), _filled(html, escaped, "_html")):
            return False
        values = plain | escaped
        data[letter.address] = {fields.key.format(name): v for name, v in values.items()}
    names = {name: fields.written.format(name) for name in values}
    mail.body = _filled(text, names)
    mail.attach_alternative(_filled(html, names, "_html"), "text/html")
    vars(mail)["merge_data"] = data
    return True


# Each entry is a piece of the page (False), or the name of the reader's value to put there (True).
_Pieces = list[tuple[str, bool]]


def _segments(segments: list[dict[str, Any]], muted: frozenset[int]) -> _Pieces:
    return [
        (segment["slot"], True)
        if "slot" in segment
        else (quopri.decodestring(segment["body"]).decode().replace("\r\n", "\n"), False)
        for segment in segments
        if segment["section"] not in muted
    ]


def _values(reader: Reader) -> dict[str, str]:
    return {
        "UNSUBSCRIBE": reader.unsubscribe_url,
        "PREFERENCES": reader.preferences_url,
        "READER": reader.email,
    }


def _filled(pieces: _Pieces, values: dict[str, str], suffix: str = "") -> str:
    return "".join(values[f"{piece}{suffix}"] if slot else piece for piece, slot in pieces)
