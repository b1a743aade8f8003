"""A send continues by itself when Redis, PostgreSQL or the relay was lost and is back."""

import signal
import time

import pytest
from redis import Redis

from tests.faults import comparison
from tests.servers.sink import MODES
from tests.support.waiting import wait_for

READERS, PROCESSES = 3000, 3
# The send takes about four seconds, in lanes of one second, so it needs the queue all the time.
PACE, SHORT_LANES = 0.004, {"LANE_SECONDS": 1.0}


@pytest.fixture
def edition(deployment, rng):
    """Return an edition that is being sent and has reached a third of its readers at most."""
    deployment.sink.behave(extensions=rng.choice(MODES), pace=PACE)
    deployment.start_worker(processes=PROCESSES, digest__delivery__lane__lane=SHORT_LANES)
    edition = comparison.approved_edition(readers=READERS)
    deployment.sink.wait_for(100)
    return edition


def test_a_flushed_redis_does_not_stop_the_send(deployment, edition, rng):
    for _ in range(4):
        with Redis(unix_socket_path=deployment.redis_socket) as redis:
            redis.flushall()
        deployment.sink.wait_for(deployment.sink.count + rng.randint(50, 500))
    comparison.wait_until_sent(edition)

    found = comparison.count(edition, deployment.sink, scenario="Redis flushed 4 times")
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()


def test_a_killed_and_restarted_redis_does_not_stop_the_send(deployment, edition, rng):
    deployment.sink.wait_for(rng.randint(100, 1000))
    deployment.kill_redis()
    time.sleep(rng.uniform(0, 2))
    deployment.start_services()
    comparison.wait_until_sent(edition)

    found = comparison.count(edition, deployment.sink, scenario="Redis killed and started again")
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT], ids=["immediate", "fast"])
def test_a_restarted_postgresql_does_not_stop_the_send(deployment, edition, rng, how):
    deployment.sink.wait_for(rng.randint(100, 1000))
    deployment.stop_postgres(how)
    time.sleep(rng.uniform(0, 2))
    deployment.start_services()
    comparison.wait_until_sent(edition)

    found = comparison.count(
        edition, deployment.sink, scenario=f"PostgreSQL restarted ({how.name})"
    )
    found.assert_everybody_got_it()
    found.assert_at_most_a_window_per_lane(lanes=PROCESSES)


def test_the_send_begins_once_a_relay_that_was_down_is_up(deployment, rng):
    """The clock starts lanes again by itself, however often they ended."""
    deployment.sink.down()
    deployment.start_worker(processes=PROCESSES)
    edition = comparison.approved_edition(readers=READERS)
    wait_for(lambda: comparison.status(edition) == "sending", what="the start")
    time.sleep(rng.uniform(1, 2))
    assert deployment.sink.count == 0
    deployment.sink.up()
    comparison.wait_until_sent(edition)

    found = comparison.count(edition, deployment.sink, scenario="relay down, the whole deployment")
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()
