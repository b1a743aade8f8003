"""Keep lanes away from a relay that cannot be reached, then let one lane probe it.

This is a circuit breaker. While it is open no lane may use the relay; each failure opens it for
longer. While it is half open one lane at a time may probe the relay. It closes once a lane is
connected. Its marks are in the cache: all hosts share them while Redis is available.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from django.core.cache import cache

from subscribers.mail.relays import Relay

# Seconds; the cache counts in whole ones.
FIRST_OPEN_SECONDS, MAX_OPEN_SECONDS = 5, 120
# How long after a failure the breaker stays half open, unless the relay recovers.
HALF_OPEN_SECONDS = 15 * 60
# How long one lane holds the probe. A relay that works answers sooner, and a host that does not
# answer is given up sooner. After that another lane may probe, because the first may be dead.
PROBE_SECONDS = 20


def record_failure(relay: Relay) -> None:
    """Open the breaker after a failed connection: for 5 s at first, doubling to 2 minutes.

    Lanes that fail at the same time count as one failure.
    """
    failures = cache.get(_key("failed", relay)) or 0
    # Without jitter the lanes of all hosts would come back at the same moment.
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
    seconds = min(FIRST_OPEN_SECONDS * 2 ** min(failures, 10), MAX_OPEN_SECONDS) * jitter
    if _mark("open", relay, seconds):
        cache.set(_key("failed", relay), failures + 1, HALF_OPEN_SECONDS)
    cache.delete(_key("probe", relay))


def record_success(relay: Relay) -> None:
    """Close the breaker: a lane is connected, and the next failure counts as the first."""
    cache.delete_many([_key(what, relay) for what in ("open", "failed", "probe")])


def open_for(relay: Relay, *, seconds: float) -> None:
    """Open the breaker for `seconds` though nothing failed: the relay's daily cap is reached."""
    _mark("capped", relay, seconds)


def is_open(relay: Relay) -> bool:
    return bool(unavailable([relay]))


def unavailable(relays: Sequence[Relay]) -> set[str]:
    """Return the names of the relays that no lane may use now."""
    return _marked(relays, "open", "capped")


def half_open(relays: Sequence[Relay]) -> set[str]:
    """Return the names of the relays that failed and are not known to have recovered."""
    return _marked(relays, "failed")


def allow_probe(relay: Relay) -> bool:
    """Whether a lane may connect; while the breaker is half open, one lane at a time may.

    That lane then calls `record_success` or `record_failure`. If it dies, another lane may probe
    after 20 s.
    """
    return not half_open([relay]) or _mark("probe", relay, PROBE_SECONDS)


def _mark(what: str, relay: Relay, seconds: float) -> bool:
    """Set a mark that expires by itself; return True if there was none."""
    return bool(cache.add(_key(what, relay), 1, timeout=max(1, round(seconds))))


def _marked(relays: Sequence[Relay], *marks: str) -> set[str]:
    keys = {_key(what, relay): relay.name for relay in relays for what in marks}
    return {keys[key] for key in cache.get_many(keys)}


def _key(what: str, relay: Relay) -> str:
    return f"breaker:{what}:{relay.name}"
