"""Compute expensive values only as often as their cost allows, and once for all callers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis import RedisError

# A value is used for this many times the time that it took to compute. So three values, each
# computed by one process, take at most a tenth of a core.
RATIO = 30
# Seconds for which an old value is kept, for callers that ask while a fresh one is being computed.
STALE_SECONDS = 600
# Seconds until a Redis that failed is asked again. Otherwise each call would wait for its timeout.
RETRY_AFTER = 3.0

_Value = TypeVar("_Value")
_local_cache = LocMemCache("shared_cache", {})
_unavailable_until = 0.0


def stale_while_revalidate(key: str, compute: Callable[[], _Value], *, min_ttl: float) -> _Value:
    """Return a recent result of `compute`, which is computed again once it is too old.

    It is too old after `min_ttl` seconds, or after 30 times as long as it took, if that is longer.
    A caller that asks while another one computes gets the previous value, if there is one. Without
    Redis each process does so by itself.

    Values are pickled. So `key` changes when the fields of a value's class do.
    """
    found = _with_store(lambda store: _load(store, key))
    is_cached = key in found
    if is_cached and (f"{key}:fresh" in found or not _claim(key)):
        return found[key]  # type: ignore[no-any-return]  # a cache holds anything
    began = time.perf_counter()
    try:
        value = compute()
        ttl = max(min_ttl, (time.perf_counter() - began) * RATIO)
        _with_store(lambda store: _save(store, key, value, ttl))
    finally:
        _with_store(lambda store: store.delete(f"{key}:claim"))
    return value


def _load(store: BaseCache, key: str) -> dict[str, Any]:
    try:
        return store.get_many([key, f"{key}:fresh"])
    except (AttributeError, ImportError):
        # Another release stored a value whose class this one does not have.
        return {}


def _claim(key: str) -> bool:
    """Claim the computation; a process that dies during it loses the claim within a minute."""
    return bool(_with_store(lambda store: store.add(f"{key}:claim", 1, timeout=60)))


def _save(store: BaseCache, key: str, value: Any, ttl: float) -> None:
    # Redis counts in whole seconds.
    ttl = max(1, round(ttl))
    store.set(key, value, timeout=ttl + STALE_SECONDS)
    store.set(f"{key}:fresh", 1, timeout=ttl)


def _with_store(work: Callable[[BaseCache], _Value]) -> _Value:
    """Do the work with Redis, or with this process's own cache for some time after a failure."""
    global _unavailable_until
    if time.monotonic() >= _unavailable_until:
        try:
            return work(cache)
        except RedisError:
            _unavailable_until = time.monotonic() + RETRY_AFTER
    return work(_local_cache)
