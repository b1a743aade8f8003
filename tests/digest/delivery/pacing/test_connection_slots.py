"""A relay gets no more connections than it takes, and lanes are distributed by weight."""

import threading
from collections import Counter
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connection
from redis import Redis

from digest.delivery.pacing import circuit_breaker, connection_slots
from subscribers.mail.relays import parse_relays

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def relays(settings):
    Redis.from_url(settings.REDIS_URL).flushdb()

    def configure(*urls):
        settings.EMAIL_RELAYS = parse_relays(urls)
        return settings.EMAIL_RELAYS

    return configure


@contextmanager
def lane(**how):
    """Hold a connection slot in a database session of its own, as another process would."""
    ready, may_release, found = threading.Event(), threading.Event(), []

    def hold():
        try:
            with connection_slots.acquire(**how) as relay:
                found.append(relay.name if relay else None)
                ready.set()
                may_release.wait(20)
        finally:
            ready.set()
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert ready.wait(10)
        yield found[0]
    finally:
        may_release.set()
        thread.join(10)


@pytest.fixture
def take():
    """Start lanes that stay until `take.stack` is closed; return the names of their relays."""
    with ExitStack() as stack:

        def take(count=1, **how):
            return [stack.enter_context(lane(**how)) for _ in range(count)]

        take.stack = stack
        yield take


def test_a_relay_gets_no_more_lanes_than_it_takes_connections(relays, take):
    relays("smtp://a?connections=2", "smtp://b?connections=1")
    assert connection_slots.available() == 3

    assert Counter(take(4)) == {"a:25": 2, "b:25": 1, None: 1}
    assert connection_slots.available() == 0

    take.stack.close()
    assert connection_slots.available() == 3


def test_lanes_are_distributed_by_weight(relays, take):
    relays("smtp://a?connections=10", "smtp://b?connections=10&weight=3")

    assert Counter(take(8)) == {"a:25": 2, "b:25": 6}


def test_a_relay_with_an_open_breaker_is_passed_over(relays, take):
    a, b = relays("smtp://a?connections=2", "smtp://b?connections=2")
    circuit_breaker.record_failure(a)

    assert connection_slots.available() == 2
    assert take(3) == [b.name, b.name, None]


def test_a_relay_to_avoid_is_passed_over(relays, take):
    a, b = relays("smtp://a", "smtp://b?weight=0")

    assert take(avoid=[a.name]) == [b.name]
    assert take(avoid=[a.name, b.name]) == [None]


def test_a_standby_relay_is_used_only_while_all_other_breakers_are_open(relays, take):
    a, spare = relays("smtp://a", "smtp://spare?connections=2&weight=0")
    assert connection_slots.available() == 1
    assert take(2) == [a.name, None]

    circuit_breaker.record_failure(a)
    assert connection_slots.available() == 2
    assert take() == [spare.name]


def test_the_other_lanes_use_the_standby_while_one_lane_probes_the_relay(relays, take, monkeypatch):
    monkeypatch.setattr(circuit_breaker, "FIRST_OPEN_SECONDS", 0.001)
    a, spare = relays("smtp://a?connections=3", "smtp://spare?connections=2&weight=0")
    circuit_breaker.record_failure(a)
    while circuit_breaker.is_open(a):
        pass

    assert connection_slots.available() == 3
    assert take(4) == [a.name, spare.name, spare.name, None]

    circuit_breaker.record_success(a)
    assert take(3) == [a.name, a.name, None]


def test_only_one_lane_probes_whether_a_relay_is_back(relays, take, monkeypatch):
    monkeypatch.setattr(circuit_breaker, "FIRST_OPEN_SECONDS", 0.001)
    (a,) = relays("smtp://a?connections=3")
    circuit_breaker.record_failure(a)
    while circuit_breaker.is_open(a):
        pass

    assert connection_slots.available() == 1
    assert take(2) == [a.name, None]

    circuit_breaker.record_success(a)
    assert take(3) == [a.name, a.name, None]


def test_a_connection_slot_costs_three_queries(relays, take, django_assert_num_queries):
    relays("smtp://a?connections=20", "smtp://b?connections=20")
    take(5)

    # One query reads which slots are taken, one locks a slot, one unlocks it.
    with django_assert_num_queries(3), connection_slots.acquire():
        pass
