"""Relays that are down, slow down, refuse, fall silent or hang up."""

import time

import pytest

from digest.models import Delivery
from subscribers.models import Suppression
from tests.conftest import wait_for
from tests.delivery.faults import counting
from tests.delivery.faults.sink import (
    CHUNKING,
    CUT,
    MODES,
    PIPELINING,
    PLAIN,
    SILENT,
    is_chosen,
)

READERS, LANES = 2000, 3
in_each_mode = pytest.mark.parametrize("extensions", MODES, ids=["plain", "pipelining", "chunking"])
# Longer than this sink ever takes on a crowded machine, and far shorter than a real one's minutes.
PATIENCE = {"CONTENT_TIMEOUT": 4.0}


@pytest.fixture
def edition(house):
    house.standing_worker()
    return counting.approved_edition(readers=READERS)


@pytest.fixture
def distrusted(house):
    """Behind a test that leaves lanes thinking ill of the relay, they begin anew."""
    yield
    house.stop_workers()


def chosen(share):
    return {email for n in range(1, READERS + 1) if is_chosen(email := f"r{n}@example.com", share)}


def test_a_relay_that_is_down_at_the_start(house, edition, chance):
    house.sink.down()
    wait_for(lambda: counting.status(edition) == "sending", what="the start")
    time.sleep(chance.uniform(1, 3))
    assert house.sink.count == 0
    house.sink.up()
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario="relay down at the start")
    found.everybody_got_it()
    found.nobody_twice()
    assert not Delivery.objects.exclude(attempts=1).exists()


@pytest.mark.usefixtures("distrusted")
@in_each_mode
def test_a_relay_that_goes_down_in_the_middle(house, edition, chance, extensions):
    house.sink.behave(extensions=extensions, pace=0.001)
    house.sink.wait_for(chance.randint(1, READERS // 2))
    house.sink.down()
    time.sleep(chance.uniform(0, 2))
    house.sink.up()
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario=f"relay down in the middle, {extensions[-1]}")
    found.everybody_got_it()
    found.at_most_a_window_each(lanes=LANES)


@pytest.mark.parametrize("at", ["RCPT", "END"])
def test_a_421_on_every_tenth_message(house, edition, chance, at):
    extensions = chance.choice(MODES)
    rule = {"at": at, "every": 10, "do": "421 4.7.0 too many, try again later"}
    house.sink.behave(rule, extensions=extensions)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario=f"421 on every tenth {at}, {extensions[-1]}")
    found.everybody_got_it()
    found.nobody_twice_unknown()
    # Behind a 421 the server closes: what was sent after it cannot have been taken.
    found.nobody_twice()


@in_each_mode
def test_twenty_messages_a_connection_and_no_more(house, edition, extensions):
    house.sink.behave(extensions=extensions, messages_per_connection=20)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario=f"20 messages a connection, {extensions[-1]}")
    found.everybody_got_it()
    found.nobody_twice()


def test_five_per_cent_are_put_off(house, edition, chance):
    extensions = chance.choice(MODES)
    rule = {"at": "RCPT", "share": 0.05, "tries": 2, "do": "451 4.7.1 greylisted"}
    house.sink.behave(rule, extensions=extensions)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario=f"5 % put off twice, {extensions[-1]}")
    found.everybody_got_it()
    found.nobody_twice()
    put_off = Delivery.objects.filter(attempts=3)
    assert set(put_off.values_list("subscription__subscriber__email", flat=True)) == chosen(0.05)


@in_each_mode
def test_one_per_cent_do_not_exist(house, edition, extensions):
    rule = {"at": "RCPT", "share": 0.01, "do": "550 5.1.1 no such user"}
    house.sink.behave(rule, extensions=extensions)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario=f"1 % do not exist, {extensions[-1]}")
    gone = chosen(0.01)
    assert found.by_status == {"failed": gone, "sent": found.readers - gone}
    assert found.arrived == found.sent
    found.nobody_twice()
    assert set(Suppression.objects.values_list("email_key", flat=True)) == gone


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "END"])
def test_everything_is_refused_by_policy(house, edition, chance, at):
    extensions = chance.choice(MODES)
    rule = {"at": at, "do": "550 5.7.1 your mail looks like spam"}
    house.sink.behave(rule, extensions=extensions)
    wait_for(lambda: counting.status(edition) == "held", what="a held edition")
    # Those that were under way, or about to claim, have recorded what they did.
    counting.wait_until_lanes_end()

    found = counting.count(edition, house, scenario=f"550 5.7.1 to every {at}, {extensions[-1]}")
    assert found.arrived == set()
    assert found.by_status == {"pending": found.readers}
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("extensions", "resend"),
    [(PLAIN, True), (PIPELINING, True), (CHUNKING, True), (CHUNKING, False)],
    ids=["plain", "pipelining", "chunking", "chunking, left"],
)
def test_silence_after_the_last_byte(house, extensions, resend):
    house.settings["RESEND_UNCERTAIN"] = str(resend)
    house.start_worker(hands=LANES, digest__delivery__smtp__patience=PATIENCE)
    rule = {"at": "END", "share": 0.002, "tries": 1, "do": SILENT}
    house.sink.behave(rule, extensions=extensions)
    edition = counting.approved_edition(readers=READERS)
    counting.wait_until_sent(edition)

    scenario = f"silence after the last byte, {extensions[-1]}, again: {resend}"
    found = counting.count(edition, house, scenario=scenario)
    found.nobody_twice_unknown()
    assert chosen(0.002) <= found.uncertain
    silences = len(chosen(0.002))
    found.at_most_a_window_each(lanes=silences)
    if resend:
        found.everybody_got_it()
    else:
        assert found.extra == 0
        assert found.by_status["uncertain"] == found.uncertain
        assert found.sent == found.readers - found.uncertain


@pytest.mark.usefixtures("distrusted")
@in_each_mode
def test_hanging_up_inside_the_content(house, edition, extensions):
    house.sink.behave({"at": "BODY", "every": 100, "tries": 1, "do": CUT}, extensions=extensions)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario=f"hang-up in the content, {extensions[-1]}")
    found.everybody_got_it_or_was_lost_twice()
    found.at_most_a_window_each(lanes=house.sink.counts["cut at BODY"])


@pytest.mark.usefixtures("distrusted")
@in_each_mode
def test_hanging_up_behind_the_content(house, edition, extensions):
    house.sink.behave({"at": "END", "every": 100, "tries": 1, "do": CUT}, extensions=extensions)
    counting.wait_until_sent(edition)

    found = counting.count(edition, house, scenario=f"hang-up behind it, {extensions[-1]}")
    found.everybody_got_it_or_was_lost_twice()
    found.at_most_a_window_each(lanes=house.sink.counts["cut at END"])
