"""Workers that are killed at random moments lose nobody, and double at most a window per lane."""

import pytest

from tests.faults import comparison
from tests.servers.sink import MODES

READERS, KILLS = 3000, 5
# The most lanes that die with a worker; some of its pool processes may do other work.
PROCESSES = 3


# 1 ms a message makes the send last long enough for the kills.
@pytest.fixture
def edition(deployment, rng):
    deployment.sink.behave(extensions=rng.choice(MODES), pace=0.001)
    return comparison.approved_edition(readers=READERS)


def wait_a_while(deployment, rng):
    more = rng.randint(1, READERS // KILLS)
    deployment.sink.wait_for(min(deployment.sink.count + more, READERS))


def test_a_killed_worker_loses_nobody(deployment, rng, edition):
    for _ in range(KILLS):
        worker = deployment.start_worker(processes=PROCESSES)
        wait_a_while(deployment, rng)
        deployment.kill_worker(worker)
    deployment.start_worker(processes=PROCESSES)
    comparison.wait_until_sent(edition)

    found = comparison.count(edition, deployment.sink, scenario=f"{KILLS} workers killed")
    found.assert_everybody_got_it()
    found.assert_at_most_a_window_per_lane(lanes=KILLS * PROCESSES)


def test_a_killed_pool_process_loses_nobody(deployment, rng, edition):
    worker = deployment.start_worker(processes=PROCESSES)
    for _ in range(KILLS):
        wait_a_while(deployment, rng)
        deployment.kill_pool_process(worker, rng)
    comparison.wait_until_sent(edition)

    found = comparison.count(edition, deployment.sink, scenario=f"{KILLS} pool processes killed")
    found.assert_everybody_got_it()
    found.assert_at_most_a_window_per_lane(lanes=KILLS)
