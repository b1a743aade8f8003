"""Compute expensive values only as often as their cost allows, and once for all who ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis import RedisError

# A value is used for so many times as long as it took to compute. Three values, each computed by
# one process, thus take at most a tenth of a core.
RATIO = 30
# Seconds for which an old value is kept, for those who ask while a fresh one is being computed.
STALE_SECONDS = 600
# Seconds until a Redis that failed is asked again. Otherwise each call would wait for its timeout.
AGAIN_AFTER = 3.0

_Value = TypeVar("_Value")
_here = LocMemCache("shared_cache", {})
_unavailable_until = 0.0


def stale_while_revalidate(key: str, compute: Callable[[], _Value], *, min_ttl: float) -> _Value:
    """Return a recent result of `compute`, which is computed again once it is too old.

    It is too old after `least` seconds, or after 30 times as long as it took, if that is longer. A
    caller that asks while another one computes gets the previous value, if there is one. Without
    Redis each process does so by itself.
    """
    found = _do(lambda store: store.get_many([key, f"{key}:fresh"]))
    known = key in found
    if known and (f"{key}:fresh" in found or not _claim(key)):
        return found[key]  # type: ignore[no-any-return]  # a cache holds anything
    began = time.perf_counter()
    try:
        value = compute()
        lasts = max(min_ttl, (time.perf_counter() - began) * RATIO)
        _do(lambda store: _keep(store, key, value, lasts))
    finally:
        _do(lambda store: store.delete(f"{key}:claim"))
    return value


def _claim(key: str) -> bool:
    """Claim the computation; a process that dies during it loses the claim within a minute."""
    return bool(_do(lambda store: store.add(f"{key}:claim", 1, timeout=60)))


def _keep(store: BaseCache, key: str, value: Any, lasts: float) -> None:
    # Redis counts in whole seconds.
    lasts = max(1, round(lasts))
    store.set(key, value, timeout=lasts + STALE_SECONDS)
    store.set(f"{key}:fresh", 1, timeout=lasts)


def _do(work: Callable[[BaseCache], _Value]) -> _Value:
    """Do the work with Redis, or with this process's own cache for some time after a failure."""
    global _unavailable_until
    if time.monotonic() >= _unavailable_until:
        try:
            return work(cache)
        except RedisError:
            _unavailable_until = time.monotonic() + AGAIN_AFTER
    return work(_here)
