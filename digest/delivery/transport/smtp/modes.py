"""Choose the mode in which to speak to a relay, and remember the modes that failed with it."""

from __future__ import annotations

import logging
import time
from enum import IntEnum

from django.core.cache import cache
from redis.exceptions import RedisError

from subscribers.mail.relays import Relay

logger = logging.getLogger(__name__)

# How long, in seconds, a mode is not used after the server said that it does not know what it
# offered. A relay is seldom replaced within a day.
_DAY = 24 * 3600
# The same after the server hung or closed the connection. A healthy server does that too when it
# restarts.
_TEN_MINUTES = 600


class Mode(IntEnum):
    """The modes from the slowest to the fastest."""

    PLAIN = 0  # one command at a time
    DATA = 1  # the next envelope behind a message's content: one round trip a message
    BDAT = 2  # many messages back to back


# For each _key(): the fastest mode that works, and until when this is believed. It is used beside
# the cache, so that without Redis each process learns it only once.
_known: dict[str, tuple[Mode, float]] = {}
_suspected: dict[str, float] = {}


def fastest_working(relay: Relay) -> Mode:
    """Return the fastest mode that is not known to fail with this relay."""
    mode, until = _known.get(_key(relay), (Mode.BDAT, 0.0))
    if until < time.monotonic():
        mode = Mode.BDAT
    try:
        return min(mode, Mode(cache.get(_key(relay), Mode.BDAT)))
    except (RedisError, ValueError):
        return mode


def downgrade(relay: Relay, mode: Mode, reason: str, *, is_certain: bool) -> None:
    """Use a simpler mode with this relay from now on.

    This lasts a day if it is certain that the mode failed, or if the mode was suspected before
    within a day. Otherwise it lasts ten minutes.
    """
    if mode is Mode.PLAIN:
        return
    simpler = Mode(mode - 1)
    seconds = _DAY if is_certain or _is_suspect(f"{_key(relay)}:{mode.name}") else _TEN_MINUTES
    logger.warning(
        "%s fails with %s (%s); using %s for %s s",
        relay.name,
        mode.name,
        reason,
        simpler.name,
        seconds,
    )
    _known[_key(relay)] = simpler, time.monotonic() + seconds
    try:
        cache.set(_key(relay), int(simpler), timeout=seconds)
    except RedisError as error:
        logger.warning("Only this process knows, because Redis is unavailable: %s", error)


def reset_modes_for_tests() -> None:
    """Forget what this process has learned; for tests."""
    _known.clear()
    _suspected.clear()


def _is_suspect(what: str) -> bool:
    """Whether `what` was suspected within the last day; it is suspected from now on."""
    now = time.monotonic()
    before = _suspected.get(what, 0.0) > now
    _suspected[what] = now + _DAY
    try:
        return not cache.add(f"suspect:{what}", 1, timeout=_DAY) or before
    except RedisError:
        return before


def _key(relay: Relay) -> str:
    return f"smtp:mode:{relay.host}:{relay.port}"
