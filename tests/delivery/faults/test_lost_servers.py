"""Redis, PostgreSQL and the relay go away: the send goes on by itself when they are back."""

import signal
import time

import pytest
from redis import Redis

from tests.conftest import wait_for
from tests.delivery.faults import counting
from tests.delivery.faults.sink import MODES

READERS, HANDS = 3000, 3
# About four seconds of sending, in lanes of one, so that the queue is needed all the time.
PACE, SHORT_LANES = 0.004, {"LANE_SECONDS": 1.0}


@pytest.fixture
def edition(house, chance):
    """On its way, with a third of its readers or fewer reached."""
    house.sink.behave(extensions=chance.choice(MODES), pace=PACE)
    house.start_worker(hands=HANDS, digest__delivery__lane=SHORT_LANES)
    edition = counting.approved_edition(readers=READERS)
    house.sink.wait_for(100)
    return edition


def test_a_redis_that_forgets_everything(house, edition, chance):
    for _ in range(4):
        with Redis(unix_socket_path=house.redis_socket) as redis:
            redis.flushall()
        house.sink.wait_for(house.sink.count + chance.randint(50, 500))
    counting.wait_until_sent(edition)

    found = counting.count(edition, house.sink, scenario="Redis flushed 4 times")
    found.everybody_got_it()
    found.nobody_twice()


def test_a_redis_that_is_killed_and_started_again(house, edition, chance):
    house.sink.wait_for(chance.randint(100, 1000))
    house.kill_redis()
    time.sleep(chance.uniform(0, 2))
    house.start_services()
    counting.wait_until_sent(edition)

    found = counting.count(edition, house.sink, scenario="Redis killed and started again")
    found.everybody_got_it()
    found.nobody_twice()


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT], ids=["immediate", "fast"])
def test_a_postgresql_that_is_restarted(house, edition, chance, how):
    house.sink.wait_for(chance.randint(100, 1000))
    house.stop_postgres(how)
    time.sleep(chance.uniform(0, 2))
    house.start_services()
    counting.wait_until_sent(edition)

    found = counting.count(edition, house.sink, scenario=f"PostgreSQL restarted ({how.name})")
    found.everybody_got_it()
    found.at_most_a_window_each(lanes=HANDS)


def test_a_relay_that_is_down_when_sending_begins(house, chance):
    """The clock finds out by itself that lanes may start again, however often they ended."""
    house.sink.down()
    house.start_worker(hands=HANDS)
    edition = counting.approved_edition(readers=READERS)
    wait_for(lambda: counting.status(edition) == "sending", what="the start")
    time.sleep(chance.uniform(1, 2))
    assert house.sink.count == 0
    house.sink.up()
    counting.wait_until_sent(edition)

    found = counting.count(edition, house.sink, scenario="relay down, the whole house")
    found.everybody_got_it()
    found.nobody_twice()
