"""The breaker of an unreachable relay opens; one lane tries the relay before all come back."""

import time

import pytest
from redis import Redis

from digest.delivery import breaker
from subscribers import commons
from subscribers.relays import parse_relay
from tests.conftest import wait_for

RELAY, OTHER = parse_relay("smtp://one"), parse_relay("smtp://two")


@pytest.fixture(params=["Redis", "no Redis"], autouse=True)
def _with_and_without_redis(request, settings, tmp_path):
    """Run each test with Redis and without it."""
    if request.param == "no Redis":
        settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    else:
        Redis.from_url(settings.REDIS_URL).flushdb()
    yield
    commons.forget()
    breaker.forget()


@pytest.fixture
def open_times(monkeypatch):
    """Record for how many seconds each breaker was to stay open.

    How soon a test sees the end of that time depends on the machine.
    """
    asked = []
    for marks in (breaker._Shared, breaker._Here):

        def add(self, key, seconds, add=marks.add):
            is_new = add(self, key, seconds)
            if is_new and ":rests:" in key:
                asked.append(seconds)
            return is_new

        monkeypatch.setattr(marks, "add", add)
    return asked


def end_open_time():
    """End the open time of the breaker early."""
    breaker._do(lambda marks: marks.drop(breaker._key("rests", RELAY)))
    assert not breaker.is_resting(RELAY)


def test_a_failure_opens_the_breaker_of_its_own_relay_for_a_while(monkeypatch, open_times):
    monkeypatch.setattr(breaker, "FIRST_REST", 1.0)
    begun = time.monotonic()
    breaker.rest(RELAY)

    assert breaker.resting([OTHER, RELAY]) == {RELAY.name}
    wait_for(lambda: not breaker.is_resting(RELAY), what="the end of the rest")
    # Redis counts in whole milliseconds.
    assert 0.8 <= open_times[0] <= time.monotonic() - begun + 0.002
    assert open_times[0] <= 1.2


def test_each_failure_doubles_the_open_time_up_to_the_longest(open_times):
    for _ in range(7):
        breaker.rest(RELAY)
        end_open_time()

    expected = [5, 10, 20, 40, 80, 120, 120]
    assert open_times == [pytest.approx(seconds, rel=0.2) for seconds in expected]


def test_lanes_that_fail_together_count_as_one_failure(open_times):
    for _ in range(5):
        breaker.rest(RELAY)
    end_open_time()
    breaker.rest(RELAY)

    assert open_times == [pytest.approx(5, rel=0.2), pytest.approx(10, rel=0.2)]


def test_a_half_open_breaker_lets_one_lane_try_before_all_come_back():
    assert [breaker.may_try(RELAY) for _ in range(3)] == [True] * 3
    breaker.rest(RELAY)
    end_open_time()

    assert breaker.on_probation([RELAY, OTHER]) == {RELAY.name}
    assert [breaker.may_try(RELAY) for _ in range(3)] == [True, False, False]

    breaker.recovered(RELAY)
    assert [breaker.may_try(RELAY) for _ in range(3)] == [True] * 3
    assert not breaker.on_probation([RELAY])


def test_a_probing_lane_that_dies_does_not_block_the_next_probe(monkeypatch):
    monkeypatch.setattr(breaker, "PROBE", 1.0)
    breaker.rest(RELAY)
    end_open_time()

    assert breaker.may_try(RELAY)
    assert not breaker.may_try(RELAY)
    wait_for(lambda: breaker.may_try(RELAY), what="the next one's turn")


def test_a_breaker_opened_for_a_full_day_is_not_closed_by_a_connection():
    breaker.close_for(RELAY, seconds=60)
    breaker.recovered(RELAY)

    assert breaker.is_resting(RELAY)
    assert not breaker.on_probation([RELAY])
