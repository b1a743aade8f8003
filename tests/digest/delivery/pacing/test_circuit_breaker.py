"""The breaker of an unreachable relay opens; one lane probes the relay before all come back."""

import pytest
from django.core.cache import cache

from digest.delivery.pacing import circuit_breaker
from subscribers.mail.relays import parse_relay
from subscribers.plumbing import shared_redis
from tests.support.waiting import wait_for

RELAY, OTHER = parse_relay("smtp://one"), parse_relay("smtp://two")


@pytest.fixture(params=["Redis", "no Redis"], autouse=True)
def _with_and_without_redis(request):
    """Run each test with Redis and without it."""
    if request.param == "no Redis":
        request.getfixturevalue("no_redis")


@pytest.fixture
def open_times(monkeypatch):
    """Record for how many seconds each breaker was to stay open.

    How soon a test sees the end of that time depends on the machine.
    """
    recorded, mark = [], circuit_breaker._mark

    def record(what, relay, seconds):
        is_new = mark(what, relay, seconds)
        if is_new and what == "open":
            recorded.append(seconds)
        return is_new

    monkeypatch.setattr(circuit_breaker, "_mark", record)
    return recorded


def end_open_time():
    """End the open time of the breaker early."""
    cache.delete(circuit_breaker._key("open", RELAY))
    assert not circuit_breaker.is_open(RELAY)


def test_a_failure_opens_the_breaker_of_its_own_relay_for_a_while(monkeypatch, open_times):
    monkeypatch.setattr(circuit_breaker, "FIRST_OPEN_SECONDS", 1.0)
    circuit_breaker.record_failure(RELAY)

    assert circuit_breaker.unavailable([OTHER, RELAY]) == {RELAY.name}
    wait_for(lambda: not circuit_breaker.is_open(RELAY), what="a breaker that is not open")
    assert 0.8 <= open_times[0] <= 1.2


def test_each_failure_doubles_the_open_time_up_to_the_longest(open_times):
    for _ in range(7):
        circuit_breaker.record_failure(RELAY)
        end_open_time()

    expected = [5, 10, 20, 40, 80, 120, 120]
    assert open_times == [pytest.approx(seconds, rel=0.2) for seconds in expected]


def test_lanes_that_fail_together_count_as_one_failure(open_times):
    for _ in range(5):
        circuit_breaker.record_failure(RELAY)
    end_open_time()
    circuit_breaker.record_failure(RELAY)

    assert open_times == [pytest.approx(5, rel=0.2), pytest.approx(10, rel=0.2)]


def test_a_half_open_breaker_lets_one_lane_probe_before_all_come_back():
    assert [circuit_breaker.allow_probe(RELAY) for _ in range(3)] == [True] * 3
    circuit_breaker.record_failure(RELAY)
    end_open_time()

    assert circuit_breaker.half_open([RELAY, OTHER]) == {RELAY.name}
    assert [circuit_breaker.allow_probe(RELAY) for _ in range(3)] == [True, False, False]

    circuit_breaker.record_success(RELAY)
    assert [circuit_breaker.allow_probe(RELAY) for _ in range(3)] == [True] * 3
    assert not circuit_breaker.half_open([RELAY])


def test_a_probing_lane_that_dies_does_not_block_the_next_probe(monkeypatch):
    monkeypatch.setattr(circuit_breaker, "PROBE_SECONDS", 1.0)
    circuit_breaker.record_failure(RELAY)
    end_open_time()

    assert circuit_breaker.allow_probe(RELAY)
    assert not circuit_breaker.allow_probe(RELAY)
    wait_for(lambda: circuit_breaker.allow_probe(RELAY), what="the next probe")


def test_a_success_counts_when_it_is_the_first_to_find_redis_gone():
    circuit_breaker.record_failure(RELAY)
    shared_redis.reset_redis_for_tests()

    circuit_breaker.record_success(RELAY)

    assert not circuit_breaker.unavailable([RELAY])
    assert not circuit_breaker.half_open([RELAY])


def test_a_breaker_opened_for_a_full_day_is_not_closed_by_a_connection():
    circuit_breaker.open_for(RELAY, seconds=60)
    circuit_breaker.record_success(RELAY)

    assert circuit_breaker.is_open(RELAY)
    assert not circuit_breaker.half_open([RELAY])
