"""Django's cache in Redis, or in this process while Redis is unavailable.

`SharedCache` is the backend of `django.core.cache.cache`. None of its methods raises an error of
Redis. While Redis is unavailable each process has a cache of its own, without what it stored in
Redis before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial, wraps
from typing import Any, TypeVar, cast

from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisSerializer

from subscribers.plumbing import shared_redis

# Entries of a process's own cache. Beyond them some are dropped, whatever their age.
MAX_LOCAL_ENTRIES = 10_000
# A value is used for this many times the time that it took to compute. So three values, each
# computed by one process, take at most a tenth of a core.
RATIO = 30
# Seconds for which an old value is kept, for callers that ask while a fresh one is being computed.
STALE_SECONDS = 600

_Value = TypeVar("_Value")


class Serializer(RedisSerializer):
    """Reads a value that this release cannot unpickle as None: another release has stored it."""

    def loads(self, data: Any) -> Any:
        try:
            return super().loads(data)
        except Exception:
            return None


class SharedCache(RedisCache):
    """A RedisCache whose methods use a LocMemCache while Redis is unavailable."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        in_redis = {**shared_redis.CONNECTION, "serializer": Serializer}
        super().__init__(server, {**params, "OPTIONS": in_redis})
        here = {"MAX_ENTRIES": MAX_LOCAL_ENTRIES}
        self.local = LocMemCache("shared_cache", {**params, "OPTIONS": here})

    def clear(self) -> None:
        self.local.clear()
        with suppress(shared_redis.RedisUnavailable):
            shared_redis.guard(super().clear)


def _with_fallback(name: str) -> Callable[..., Any]:
    in_redis, here = getattr(RedisCache, name), getattr(LocMemCache, name)

    @wraps(in_redis)
    def method(self: SharedCache, *args: Any, **kwargs: Any) -> Any:
        # A generator of keys must last for a second try.
        args = tuple(list(arg) if isinstance(arg, Iterator) else arg for arg in args)
        try:
            return shared_redis.guard(partial(in_redis, self, *args, **kwargs))
        except shared_redis.RedisUnavailable:
            return here(self.local, *args, **kwargs)

    return method


# Every public method of RedisCache that asks Redis, but `clear`; BaseCache's others call these.
METHODS = (
    "add", "delete", "delete_many", "get", "get_many", "has_key", "incr", "set", "set_many",
    "touch",
)  # fmt: skip
for _name in METHODS:
    setattr(SharedCache, _name, _with_fallback(_name))


def set_also_here(key: str, value: Any, timeout: int) -> None:
    """Set a value in the cache, and in this process too, which keeps it whatever Redis does."""
    cache.set(key, value, timeout)
    _local().set(key, value, timeout)


def get_also_here(keys: Collection[str]) -> dict[str, Any]:
    """Return what the cache has of these keys, and what this process has set also here."""
    return _local().get_many(keys) | cache.get_many(keys)


def _local() -> LocMemCache:
    return cast(SharedCache, caches["default"]).local


def stale_while_revalidate(key: str, compute: Callable[[], _Value], *, min_ttl: float) -> _Value:
    """Return a recent result of `compute`, which is computed again once it is too old.

    It is too old after `min_ttl` seconds, or after 30 times as long as it took, if that is longer.
    A caller that asks while another one computes gets the previous value, if there is one. Without
    Redis each process does so by itself.

    Values are pickled, so `key` changes when the fields of a value's class do. None is no value: it
    is computed each time.
    """
    found = cache.get_many([key, f"{key}:fresh"])
    old: _Value | None = found.get(key)
    # A process that dies during the computation loses its claim within a minute.
    if old is not None and (
        f"{key}:fresh" in found or not cache.add(f"{key}:claim", 1, timeout=60)
    ):
        return old
    began = time.perf_counter()
    try:
        value = compute()
        _save(key, value, max(min_ttl, (time.perf_counter() - began) * RATIO))
    finally:
        cache.delete(f"{key}:claim")
    return value


def _save(key: str, value: Any, ttl: float) -> None:
    # Redis counts in whole seconds.
    ttl = max(1, round(ttl))
    cache.set(key, value, timeout=ttl + STALE_SECONDS)
    cache.set(f"{key}:fresh", 1, timeout=ttl)
