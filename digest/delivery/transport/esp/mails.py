"""Build Django mails from readers' messages: one for each reader, or one for several readers."""

from __future__ import annotations

import quopri
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from django.core.mail import EmailMultiAlternatives

from digest.delivery.transport.esp.capabilities import DJANGO, Esp, MergeFields
from digest.delivery.transport.esp.parsed_message import ParsedMessage, PrebuiltMail
from digest.rendering.personalise import FrozenPage, ReaderFields


def groups(parsed_messages: Iterable[ParsedMessage], *, esp: Esp) -> list[list[ParsedMessage]]:
    """Group the messages that may share a request, in order: one edition, and no address twice.

    The readers of a group have muted the same sections. Readers with a name or address that the ESP
    would read as a merge field form groups of their own.
    """
    if esp.batch is None:
        return [[parsed] for parsed in parsed_messages]
    kinds: dict[Any, list[list[ParsedMessage]]] = {}
    for parsed in parsed_messages:
        kind = (
            parsed.subject,
            parsed.from_email,
            parsed.reply_to,
            parsed.tags[-1],
            parsed.outgoing.reader.muted_sections,
            bool(esp.batch.reserved.search(parsed.to)),
        )
        same_kind = kinds.setdefault(kind, [])
        for group in same_kind:
            # ESPs report by address, and some ignore its capitals.
            if parsed.address.casefold() not in {one.address.casefold() for one in group}:
                group.append(parsed)
                break
        else:
            same_kind.append([parsed])
    return [group for same_kind in kinds.values() for group in same_kind]


def for_one(parsed: ParsedMessage, *, esp: Esp) -> EmailMultiAlternatives:
    """Return one reader's message as a mail of its own."""
    mail = PrebuiltMail(**_parts([parsed], _headers(parsed, esp)))
    mail.attach_alternative(parsed.html, "text/html")
    mail.raw = parsed.outgoing.message
    _mark(mail, parsed, _edition(parsed) | _delivery(parsed))
    if esp is DJANGO:
        # In Django `from_email` is the envelope sender, and the From header is an extra header.
        mail.from_email = parsed.outgoing.sender
        mail.extra_headers["From"] = parsed.from_email
    elif esp.envelope:
        vars(mail)["envelope_sender"] = parsed.outgoing.sender
    return mail


def for_group(
    parsed_messages: Sequence[ParsedMessage], *, esp: Esp, frozen: FrozenPage
) -> EmailMultiAlternatives | None:
    """Return one mail for a group, or None if not every reader would get their own message."""
    if esp.batch is None:
        return None
    headers = [_headers(parsed, esp) for parsed in parsed_messages]
    common = dict(set(headers[0].items()).intersection(*(own.items() for own in headers)))
    mail = EmailMultiAlternatives(**_parts(parsed_messages, common))
    _mark(mail, parsed_messages[0], _edition(parsed_messages[0]))
    vars(mail).update(
        merge_metadata={parsed.address: _delivery(parsed) for parsed in parsed_messages},
        merge_headers={
            parsed.address: {name: value for name, value in own.items() if name not in common}
            for parsed, own in zip(parsed_messages, headers, strict=True)
        },
    )
    return mail if _merge(mail, parsed_messages, esp.batch, frozen) else None


def _parts(parsed_messages: Sequence[ParsedMessage], headers: dict[str, str]) -> dict[str, Any]:
    return {
        "subject": parsed_messages[0].subject,
        "body": parsed_messages[0].text,
        "from_email": parsed_messages[0].from_email,
        "to": [parsed.to for parsed in parsed_messages],
        "reply_to": parsed_messages[0].reply_to,
        "headers": headers,
    }


def _headers(parsed: ParsedMessage, esp: Esp) -> dict[str, str]:
    own = {"Message-ID": parsed.message_id} if esp.message_id else {}
    return parsed.headers | own | dict(esp.headers)


def _mark(mail: EmailMultiAlternatives, parsed: ParsedMessage, metadata: dict[str, str]) -> None:
    """Set the attributes that anymail reads in addition to Django's own."""
    vars(mail).update(tags=parsed.tags, metadata=metadata, track_opens=False, track_clicks=False)


def _edition(parsed: ParsedMessage) -> dict[str, str]:
    return {"edition": str(parsed.outgoing.reader.edition_id)}


def _delivery(parsed: ParsedMessage) -> dict[str, str]:
    return {"delivery": str(parsed.outgoing.key)}


def _merge(
    mail: EmailMultiAlternatives,
    parsed_messages: Sequence[ParsedMessage],
    fields: MergeFields,
    frozen: FrozenPage,
) -> bool:
    """Put merge fields in place of the readers' values; return False if a message would differ."""
    muted = parsed_messages[0].outgoing.reader.muted_sections
    text, html = (
        _segments(segments, muted) for segments in (frozen.text_segments, frozen.html_segments)
    )
    fixed = "".join(part for part, is_value in (*text, *html) if not is_value)
    if fields.reserved.search(
        f"{mail.subject}{mail.from_email}{mail.to}{mail.reply_to}{mail.extra_headers}{fixed}"
    ):
        return False
    data = {}
    for parsed in parsed_messages:
        plain = _values(parsed.outgoing.reader)
        escaped = {f"{name}_html": escape(value) for name, value in plain.items()}
        # This proves that the messages were made from this page.
        if (parsed.text, parsed.html) != (_fill(text, plain), _fill(html, escaped, "_html")):
            return False
        values = plain | escaped
        data[parsed.address] = {fields.key.format(name): v for name, v in values.items()}
    placeholders = {name: fields.placeholder.format(name) for name in values}
    mail.body = _fill(text, placeholders)
    mail.attach_alternative(_fill(html, placeholders, "_html"), "text/html")
    vars(mail)["merge_data"] = data
    return True


# Each entry is a piece of the page (False), or the name of the reader's value to put there (True).
_Pieces = list[tuple[str, bool]]


def _segments(segments: list[dict[str, Any]], muted: frozenset[int]) -> _Pieces:
    return [
        (segment["placeholder"], True)
        if "placeholder" in segment
        else (quopri.decodestring(segment["body"]).decode().replace("\r\n", "\n"), False)
        for segment in segments
        if segment["section"] not in muted
    ]


def _values(reader: ReaderFields) -> dict[str, str]:
    return {
        "UNSUBSCRIBE": reader.unsubscribe_url,
        "PREFERENCES": reader.preferences_url,
        "READER": reader.email,
    }


def _fill(pieces: _Pieces, values: dict[str, str], suffix: str = "") -> str:
    return "".join(values[f"{piece}{suffix}"] if is_value else piece for piece, is_value in pieces)
