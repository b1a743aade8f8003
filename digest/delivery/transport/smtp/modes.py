"""Choose the mode in which to speak to a relay, and remember the modes that failed with it."""

from __future__ import annotations

import logging
from enum import IntEnum

from django.core.cache import cache

from subscribers.mail.relays import Relay
from subscribers.plumbing import shared_cache

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
    failed = shared_cache.get_also_here([_key(relay, mode) for mode in (Mode.BDAT, Mode.DATA)])
    if _key(relay, Mode.DATA) in failed:
        return Mode.PLAIN
    return Mode.DATA if failed else Mode.BDAT


def downgrade(relay: Relay, mode: Mode, reason: str, *, is_certain: bool) -> None:
    """Use no mode as fast as this one with this relay from now on.

    This lasts a day if it is certain that the mode failed, or if the mode was suspected before
    within a day. Otherwise it lasts ten minutes. This process remembers it whatever becomes of
    Redis, because each new try may leave a reader uncertain.
    """
    if mode is Mode.PLAIN:
        return
    key = _key(relay, mode)
    is_known = is_certain or not cache.add(f"{key}:suspect", 1, timeout=_DAY)
    if not is_known and cache.get(key) is not None:
        return  # another lane found out more, and a suspicion must not shorten that
    seconds = _DAY if is_known else _TEN_MINUTES
    logger.warning(
        "%s fails with %s (%s); using %s for %s s",
        relay.name,
        mode.name,
        reason,
        Mode(mode - 1).name,
        seconds,
    )
    shared_cache.set_also_here(key, 1, timeout=seconds)


def _key(relay: Relay, mode: Mode) -> str:
    return f"smtp:fails:{relay.host}:{relay.port}:{mode.name}"
