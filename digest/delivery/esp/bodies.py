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

from digest.delivery.esp.letters import Letter
from digest.delivery.esp.table import Bodies


def give_own_bodies(backend: Any, bodies: Bodies) -> None:
    """Make the backend use the `letters` that `mails.together` attaches to a mail."""
    backend.build_message_payload = partial(_payload, backend.build_message_payload, bodies)
    if bodies.answers:
        backend.parse_recipient_status = partial(_statuses, backend.parse_recipient_status)


def _payload(build: Callable[..., Any], bodies: Bodies, message: Any, defaults: Any) -> Any:
    payload = build(message, defaults)
    if letters := getattr(message, "letters", None):
        payload.serialize_data = partial(_serialized, payload.serialize_data, bodies, letters)
    return payload


def _serialized(serialize: Callable[[], str], bodies: Bodies, letters: Sequence[Letter]) -> str:
    data = json.loads(serialize())
    if bodies.shared:
        for name in (bodies.text, bodies.html):
            data[bodies.shared].pop(name, None)
    entries = data[bodies.entries] if bodies.entries else data
    for entry, letter in zip(entries, letters, strict=True):
        entry[bodies.text], entry[bodies.html] = letter.text, letter.html
    return json.dumps(data)


def _statuses(parse: Callable[..., Any], response: Any, payload: Any, message: Any) -> Any:
    """Read the answers one by one; raise an error only if every answer is an error."""
    answers, letters = response.json(), getattr(message, "letters", ())
    if len(letters) != len(answers) or not isinstance(answers, list):
        return parse(response, payload, message)
    statuses, errors = {}, []
    for letter, answer in zip(letters, answers, strict=True):
        alone = SimpleNamespace(json=partial(list, [answer]), status_code=422, text=str(answer))
        try:
            statuses[letter.address] = parse(alone, payload, message)[letter.address]
        except AnymailAPIError as error:
            errors.append(error)
            statuses[letter.address] = AnymailRecipientStatus(
                str(answer.get("Message", "")), "failed"
            )
    if len(errors) == len(letters):
        raise errors[0]
    return statuses
