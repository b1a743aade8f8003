"""A relay that cannot be reached rests, and is tried by one lane before all come back."""

import time

import pytest
from redis import Redis

from digest.delivery import breaker
from subscribers import commons
from subscribers.relays import parse_relay

RELAY, OTHER = parse_relay("smtp://one"), parse_relay("smtp://two")


@pytest.fixture(params=["Redis", "no Redis"], autouse=True)
def _where(request, settings, tmp_path):
    """Each test with Redis and without."""
    if request.param == "no Redis":
        settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    else:
        Redis.from_url(settings.REDIS_URL).flushdb()
    yield
    commons.forget()
    breaker.forget()


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(breaker, "FIRST_REST", 0.1)
    monkeypatch.setattr(breaker, "LONGEST_REST", 0.3)


def rest_is_over():
    begun = time.monotonic()
    while breaker.is_resting(RELAY):
        time.sleep(0.005)
    return time.monotonic() - begun


def test_a_relay_without_connection_rests_and_no_other_does():
    breaker.rest(RELAY)

    assert breaker.resting([OTHER, RELAY]) == {RELAY.name}
    assert 0.05 < rest_is_over() < 0.2


def test_each_failure_doubles_the_rest_up_to_the_longest():
    rests = []
    for _ in range(4):
        breaker.rest(RELAY)
        rests.append(rest_is_over())

    assert rests[1] > 0.13
    assert 0.2 < rests[3] < 0.5


def test_lanes_that_fail_together_count_as_one_failure():
    for _ in range(5):
        breaker.rest(RELAY)
    rest_is_over()
    breaker.rest(RELAY)

    assert rest_is_over() < 0.3


def test_after_its_rest_one_lane_tries_and_the_others_wait_for_its_word():
    assert [breaker.may_try(RELAY) for _ in range(3)] == [True] * 3
    breaker.rest(RELAY)
    rest_is_over()

    assert breaker.on_probation([RELAY, OTHER]) == {RELAY.name}
    assert [breaker.may_try(RELAY) for _ in range(3)] == [True, False, False]

    breaker.recovered(RELAY)
    assert [breaker.may_try(RELAY) for _ in range(3)] == [True] * 3
    assert not breaker.on_probation([RELAY])


def test_a_lane_that_tried_and_died_blocks_nobody(monkeypatch):
    monkeypatch.setattr(breaker, "PROBE", 0.1)
    breaker.rest(RELAY)
    rest_is_over()

    assert breaker.may_try(RELAY)
    assert not breaker.may_try(RELAY)
    time.sleep(0.12)
    assert breaker.may_try(RELAY)


def test_a_relay_whose_day_is_full_stays_closed_though_connections_stand():
    breaker.close_for(RELAY, seconds=60)
    breaker.recovered(RELAY)

    assert breaker.is_resting(RELAY)
    assert not breaker.on_probation([RELAY])
