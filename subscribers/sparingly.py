"""Compute what is dear as seldom as its price demands, once for all who ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis import RedisError

# A value stands for so many times as long as it took: three of them, each computed by one process,
# take at most a tenth of a core.
RATIO = 30
# How long the last value is kept, for those who ask while a fresh one is being computed.
KEPT = 600
# Seconds until a Redis that failed is asked again: its time limit would be spent on each call.
AGAIN_AFTER = 3.0

_Value = TypeVar("_Value")
_here = LocMemCache("sparingly", {})
_gone_until = 0.0


def sparingly(key: str, compute: Callable[[], _Value], *, least: float) -> _Value:
    """What `compute` returned lately; anew after `least` seconds, or 30 times what it took.

    Who asks while another computes gets the value of before, if there is one. Without Redis each
    process does so by itself.
    """
    found = _do(lambda store: store.get_many([key, f"{key}:fresh"]))
    known = key in found
    if known and (f"{key}:fresh" in found or not _claim(key)):
        return found[key]  # type: ignore[no-any-return]  # a cache holds anything
    began = time.perf_counter()
    try:
        value = compute()
        lasts = max(least, (time.perf_counter() - began) * RATIO)
        _do(lambda store: _keep(store, key, value, lasts))
    finally:
        _do(lambda store: store.delete(f"{key}:claim"))
    return value


def _claim(key: str) -> bool:
    """Whether it is ours to compute; a process that dies over it loses the claim in a minute."""
    return bool(_do(lambda store: store.add(f"{key}:claim", 1, timeout=60)))


def _keep(store: BaseCache, key: str, value: Any, lasts: float) -> None:
    # Redis counts in whole seconds.
    lasts = max(1, round(lasts))
    store.set(key, value, timeout=lasts + KEPT)
    store.set(f"{key}:fresh", 1, timeout=lasts)


def _do(work: Callable[[BaseCache], _Value]) -> _Value:
    """With Redis; while that is gone, which is not asked of every call, with this process's own."""
    global _gone_until
    if time.monotonic() >= _gone_until:
        try:
            return work(cache)
        except RedisError:
            _gone_until = time.monotonic() + AGAIN_AFTER
    return work(_here)
