"""The cache is in Redis, or in this process while Redis is unavailable."""

import inspect

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from redis import Redis

from subscribers.plumbing import shared_cache, shared_redis
from tests.support.no_redis import take_redis_away
from tests.support.waiting import wait_for


@pytest.fixture(params=["Redis", "no Redis"])
def _with_and_without_redis(request):
    if request.param == "no Redis":
        request.getfixturevalue("no_redis")


def test_every_method_that_asks_redis_has_a_fallback():
    own = {
        name
        for name, method in vars(RedisCache).items()
        if inspect.isfunction(method) and "self._cache" in inspect.getsource(method)
    }

    assert own - {"__init__"} == {*shared_cache.METHODS, "clear"}


@pytest.mark.usefixtures("_with_and_without_redis")
def test_the_methods_do_the_same_with_redis_and_without_it():
    assert cache.add("a", 1, timeout=60)
    assert not cache.add("a", 2, timeout=60)
    assert cache.incr("a") == 2
    assert cache.get("a") == 2
    cache.set("b", {"x": [1]}, timeout=60)
    cache.set_many({"c": "ç"}, timeout=60)
    assert cache.get_many(["a", "b", "c", "d"]) == {"a": 2, "b": {"x": [1]}, "c": "ç"}
    assert cache.touch("b", 60)
    assert cache.delete("b")
    assert not cache.has_key("b")
    cache.delete_many(["a", "c"])
    assert cache.get_many(["a", "c"]) == {}
    with pytest.raises(ValueError, match="not found"):
        cache.incr("a")


@pytest.mark.usefixtures("_with_and_without_redis")
def test_a_value_expires():
    cache.set("a", 1, timeout=1)
    assert cache.get("a") == 1

    wait_for(lambda: cache.get("a") is None)


def test_a_generator_of_keys_lasts_for_the_second_try(no_redis):
    cache.set_many({"a": 1, "b": 2}, timeout=60)
    shared_redis.reset_redis_for_tests()
    assert cache.get_many(key for key in "ab") == {"a": 1, "b": 2}

    shared_redis.reset_redis_for_tests()
    cache.delete_many(key for key in "ab")
    assert cache.get_many(["a", "b"]) == {}


def test_a_value_that_is_set_here_too_outlives_redis(settings, tmp_path):
    shared_cache.set_also_here("both", 1, timeout=60)
    Redis.from_url(settings.REDIS_URL).flushdb()
    assert cache.get("both") is None
    assert shared_cache.get_also_here(["both", "other"]) == {"both": 1}

    take_redis_away(settings, tmp_path)
    assert shared_cache.get_also_here(["both", "other"]) == {"both": 1}
    cache.clear()
    shared_redis.reset_redis_for_tests()


@pytest.mark.parametrize("stored", [b"", b"cno_such_module\nName\n.", b"\x80\x05broken"])
def test_what_cannot_be_unpickled_is_no_value(settings, stored):
    cache.set("old", 1)
    Redis.from_url(settings.REDIS_URL).set(cache.make_key("old"), stored)

    assert cache.get("old") is None
    assert shared_cache.stale_while_revalidate("old", lambda: "new", min_ttl=1) == "new"
    assert cache.get("old") == "new"


def test_a_process_without_redis_sees_only_what_it_stored_itself(settings, tmp_path):
    reachable = settings.CACHES
    cache.set("shared", 1, timeout=60)
    take_redis_away(settings, tmp_path)
    assert cache.get("shared") is None
    cache.set("own", 2, timeout=60)
    assert cache.get("own") == 2

    settings.CACHES = reachable
    shared_redis.reset_redis_for_tests()
    assert cache.get_many(["shared", "own"]) == {"shared": 1}


def test_an_unavailable_redis_is_not_asked_for_each_value(no_redis, monkeypatch):
    monkeypatch.setattr(shared_redis, "FIRST_PAUSE", 60.0)
    monkeypatch.setattr(shared_redis, "LONGEST_PAUSE", 60.0)
    asked = []
    connect = Redis.execute_command
    monkeypatch.setattr(
        Redis, "execute_command", lambda *a, **k: asked.append(a) or connect(*a, **k)
    )
    for n in range(10):
        cache.set(f"key{n}", n)

    assert len(asked) == 1
    assert cache.get("key9") == 9
