"""Put each reader's own body into the request to an ESP that takes a list of whole messages.

Anymail repeats one body for all readers of a mail. If the ESP refuses one of them, anymail may not
say which of the others were accepted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

from anymail.exceptions import AnymailAPIError
from anymail.message import AnymailRecipientStatus

from digest.delivery.transport.esp.capabilities import MessageList
from digest.delivery.transport.esp.parsed_message import ParsedMessage


def give_own_bodies(backend: Any, message_list: MessageList) -> None:
    """Make the backend use the `parsed_messages` that `mails.for_group` attaches to a mail."""
    backend.build_message_payload = partial(_payload, backend.build_message_payload, message_list)
    if message_list.has_result_list:
        backend.parse_recipient_status = partial(_statuses, backend.parse_recipient_status)


def _payload(
    build: Callable[..., Any], message_list: MessageList, message: Any, defaults: Any
) -> Any:
    payload = build(message, defaults)
    if parsed_messages := getattr(message, "parsed_messages", None):
        serialize = payload.serialize_data
        payload.serialize_data = partial(_serialized, serialize, message_list, parsed_messages)
    return payload


def _serialized(
    serialize: Callable[[], str],
    message_list: MessageList,
    parsed_messages: Sequence[ParsedMessage],
) -> str:
    data = json.loads(serialize())
    if message_list.shared:
        for name in (message_list.text, message_list.html):
            data[message_list.shared].pop(name, None)
    entries = data[message_list.entries] if message_list.entries else data
    for entry, parsed in zip(entries, parsed_messages, strict=True):
        entry[message_list.text], entry[message_list.html] = parsed.text, parsed.html
    return json.dumps(data)


def _statuses(parse: Callable[..., Any], response: Any, payload: Any, message: Any) -> Any:
    """Read the answers one by one; raise an error only if every answer is an error."""
    answers, parsed_messages = response.json(), getattr(message, "parsed_messages", ())
    if len(parsed_messages) != len(answers) or not isinstance(answers, list):
        return parse(response, payload, message)
    statuses, errors = {}, []
    for parsed, answer in zip(parsed_messages, answers, strict=True):
        single = SimpleNamespace(json=partial(list, [answer]), status_code=422, text=str(answer))
        try:
            statuses[parsed.address] = parse(single, payload, message)[parsed.address]
        except AnymailAPIError as error:
            errors.append(error)
            statuses[parsed.address] = AnymailRecipientStatus(
                str(answer.get("Message", "")), "failed"
            )
    if len(errors) == len(parsed_messages):
        raise errors[0]
    return statuses
