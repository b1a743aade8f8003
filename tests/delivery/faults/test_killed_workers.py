"""Workers that are killed at random moments lose nobody, and double at most a window per lane."""

import pytest

from tests.delivery.faults import counting
from tests.delivery.faults.sink import MODES

READERS, KILLS = 3000, 5
# The lanes that die with a whole worker: its hands, of which some may do other work.
HANDS = 3


# 1 ms a message leaves some time to be killed in.
@pytest.fixture
def edition(house, chance):
    house.sink.behave(extensions=chance.choice(MODES), pace=0.001)
    return counting.approved_edition(readers=READERS)


def wait_a_while(house, chance):
    more = chance.randint(1, READERS // KILLS)
    house.sink.wait_for(min(house.sink.count + more, READERS))


def test_a_killed_worker_loses_nobody(house, chance, edition):
    for _ in range(KILLS):
        worker = house.start_worker(hands=HANDS)
        wait_a_while(house, chance)
        house.kill_worker(worker)
    house.start_worker(hands=HANDS)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house.sink, scenario=f"{KILLS} workers killed")
    found.everybody_got_it()
    found.at_most_a_window_each(lanes=KILLS * HANDS)


def test_a_killed_pool_process_loses_nobody(house, chance, edition):
    worker = house.start_worker(hands=HANDS)
    for _ in range(KILLS):
        wait_a_while(house, chance)
        house.kill_hand(worker, chance)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house.sink, scenario=f"{KILLS} pool processes killed")
    found.everybody_got_it()
    found.at_most_a_window_each(lanes=KILLS)
