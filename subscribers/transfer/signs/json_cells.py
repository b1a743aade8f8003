"""Read the statuses in a cell of JSON, however long it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from subscribers.transfer.signs.leaving_words import AMBIGUOUS, WORDS, plain
from subscribers.transfer.signs.meanings import has_left, looks_like_leaving, meaning
from subscribers.transfer.signs.roles import Role, role_of

# What stands between the words of a list or a dictionary that is nearly JSON: Python's, or PHP's.
_MARKS = str.maketrans(dict.fromkeys("[]{}\"':,;=", "\n"))
_FLAGS = (Role.LEFT, Role.SUBSCRIBED)


def gist(value: str) -> str:
    """Return the different statuses in a cell of JSON; any other cell is returned as it is.

    SES has `[{"TopicName":"x","SubscriptionStatus":"OPT_OUT"}]` in its TopicPreferences, of which
    “OPT_OUT” is left. What is no status, such as a topic's name, is left out.
    """
    if value[:1] not in "[{" or not value:
        return value
    found = {plain(word): word.strip() for word in _words(value)}
    return ", ".join(word for key, word in sorted(found.items()) if key)


def _words(value: str) -> Iterator[str]:
    try:
        data = json.loads(value)
    except (ValueError, RecursionError):
        texts = set(value.translate(_MARKS).split("\n"))
        return (text for text in texts if _is_status(text))
    return _statuses(data)


def _statuses(data: Any) -> Iterator[str]:
    """Yield the statuses among the values, and those that a yes or no under a name means."""
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            yield from (word for key, flag in one.items() if (word := _flagged(key, flag)))
        elif isinstance(one, str) and _is_status(one):
            yield one


def _flagged(name: str, flag: Any) -> str:
    if not isinstance(flag, bool) or (role := role_of(name)).role not in _FLAGS:
        return ""
    kind = meaning(str(flag), role)
    return "unsubscribed" if kind and has_left(kind) else "subscribed"


def _is_status(text: str) -> bool:
    word = plain(text[:100])
    kind = WORDS.get(word)
    return (kind is not None and word not in AMBIGUOUS) or looks_like_leaving(text)
