"""Choose the mode in which to speak to a relay, and remember the modes that failed with it."""

from __future__ import annotations

import logging
from enum import IntEnum

from django.core.cache import cache

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


def fastest_working(relay: Relay) -> Mode:
    """Return the fastest mode that is not known to fail with this relay."""
    try:
        return Mode(cache.get(_key(relay), Mode.BDAT))
    except ValueError:
        return Mode.BDAT


def downgrade(relay: Relay, mode: Mode, reason: str, *, is_certain: bool) -> None:
    """Use a simpler mode with this relay from now on.

    This lasts a day if it is certain that the mode failed, or if the mode was suspected before
    within a day. Otherwise it lasts ten minutes.
    """
    if mode is Mode.PLAIN:
        return
    # Another lane may have learned more in the meantime.
    simpler = min(Mode(mode - 1), fastest_working(relay))
    suspicion = f"{_key(relay)}:suspect:{mode.name}"
    seconds = _DAY if is_certain or not cache.add(suspicion, 1, timeout=_DAY) else _TEN_MINUTES
    logger.warning(
        "%s fails with %s (%s); using %s for %s s",
        relay.name,
        mode.name,
        reason,
        simpler.name,
        seconds,
    )
    cache.set(_key(relay), int(simpler), timeout=seconds)


def _key(relay: Relay) -> str:
    return f"smtp:mode:{relay.host}:{relay.port}"
