"""Relays that are down, slow down, refuse, fall silent or hang up.

Nobody dies of these faults, so the lanes are threads of this process, which no Celery has to start.
"""

import time
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from digest.delivery import breaker, lane, outbox
from digest.delivery.smtp import modes, patience
from digest.models import Delivery
from subscribers.models import Suppression
from subscribers.relays import parse_relay
from tests.conftest import wait_for
from tests.delivery.faults import counting, lanes
from tests.delivery.faults.house import SinkProcess
from tests.delivery.faults.sink import (
    CHUNKING,
    CUT,
    MODES,
    PIPELINING,
    PLAIN,
    SILENT,
    is_chosen,
)

pytestmark = pytest.mark.django_db(transaction=True)

READERS, LANES = 800, 3
# Of 800 readers 0.5 % are enough to be several.
SILENCES = 0.005
in_each_mode = pytest.mark.parametrize("extensions", MODES, ids=["plain", "pipelining", "chunking"])
# What the product waits for in the open, these tests would wait for in vain.
HURRY = [
    (lane, "LANE_SECONDS", 5.0),
    (outbox, "FIRST_RETRY", timedelta(seconds=1)),
    (breaker, "FIRST_REST", 0.5),
    (breaker, "LONGEST_REST", 1.0),
    (breaker, "PROBE", 3.0),
]


@pytest.fixture(scope="module")
def _sink():
    sink = SinkProcess()
    yield sink
    sink.stop()


@pytest.fixture
def sink(_sink, settings, monkeypatch):
    """An honest relay of which nobody has learnt anything yet."""
    _sink.reset()
    url = f"smtp://127.0.0.1:{_sink.port}?connections={LANES}&name=sink-{uuid4().hex}"
    settings.EMAIL_RELAYS = [parse_relay(url)]
    for module, name, value in HURRY:
        monkeypatch.setattr(module, name, value)
    modes.forget()
    yield _sink
    modes.forget()


@pytest.fixture
def sending(sink):
    """An edition is on its way while inside, and the test may change what the sink does."""

    @contextmanager
    def sending():
        edition = counting.approved_edition(readers=READERS)
        with lanes.running(edition):
            yield edition

    return sending


@pytest.fixture
def send(sending):
    """Send an edition to the end."""

    def send():
        with sending() as edition:
            counting.wait_until_sent(edition)
        return edition

    return send


def chosen(share):
    return {email for n in range(1, READERS + 1) if is_chosen(email := f"r{n}@example.com", share)}


def test_a_relay_that_is_down_at_the_start(sink, sending, settings, chance):
    sink.down()
    with sending() as edition:
        wait_for(lambda: breaker.resting(settings.EMAIL_RELAYS), what="a lane that finds nobody")
        time.sleep(chance.uniform(0, 1))
        assert sink.count == 0
        sink.up()
        counting.wait_until_sent(edition)

    found = counting.count(edition, sink, scenario="relay down at the start")
    found.everybody_got_it()
    found.nobody_twice()
    assert not Delivery.objects.exclude(attempts=1).exists()


@in_each_mode
def test_a_relay_that_goes_down_in_the_middle(sink, sending, chance, extensions):
    sink.behave(extensions=extensions, pace=0.001)
    with sending() as edition:
        sink.wait_for(chance.randint(1, READERS // 2))
        sink.down()
        time.sleep(chance.uniform(0, 2))
        sink.up()
        counting.wait_until_sent(edition)

    found = counting.count(edition, sink, scenario=f"relay down in the middle, {extensions[-1]}")
    found.everybody_got_it()
    found.at_most_a_window_each(lanes=LANES)


@pytest.mark.parametrize("at", ["RCPT", "END"])
def test_a_421_on_every_tenth_message(sink, send, chance, at):
    extensions = chance.choice(MODES)
    rule = {"at": at, "every": 10, "do": "421 4.7.0 too many, try again later"}
    sink.behave(rule, extensions=extensions)
    edition = send()

    found = counting.count(edition, sink, scenario=f"421 on every tenth {at}, {extensions[-1]}")
    found.everybody_got_it()
    found.nobody_twice_unknown()
    # Behind a 421 the server closes: what was sent after it cannot have been taken.
    found.nobody_twice()


@in_each_mode
def test_twenty_messages_a_connection_and_no_more(sink, send, extensions):
    sink.behave(extensions=extensions, messages_per_connection=20)
    edition = send()

    found = counting.count(edition, sink, scenario=f"20 messages a connection, {extensions[-1]}")
    found.everybody_got_it()
    found.nobody_twice()


def test_five_per_cent_are_put_off(sink, send, chance):
    extensions = chance.choice(MODES)
    rule = {"at": "RCPT", "share": 0.05, "tries": 2, "do": "451 4.7.1 greylisted"}
    sink.behave(rule, extensions=extensions)
    edition = send()

    found = counting.count(edition, sink, scenario=f"5 % put off twice, {extensions[-1]}")
    found.everybody_got_it()
    found.nobody_twice()
    put_off = Delivery.objects.filter(attempts=3)
    assert set(put_off.values_list("subscription__subscriber__email", flat=True)) == chosen(0.05)


@in_each_mode
def test_one_per_cent_do_not_exist(sink, send, extensions):
    rule = {"at": "RCPT", "share": 0.01, "do": "550 5.1.1 no such user"}
    sink.behave(rule, extensions=extensions)
    edition = send()

    found = counting.count(edition, sink, scenario=f"1 % do not exist, {extensions[-1]}")
    gone = chosen(0.01)
    assert found.by_status == {"failed": gone, "sent": found.readers - gone}
    assert found.arrived == found.sent
    found.nobody_twice()
    assert set(Suppression.objects.values_list("email_key", flat=True)) == gone


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "END"])
def test_everything_is_refused_by_policy(sink, sending, chance, at):
    extensions = chance.choice(MODES)
    rule = {"at": at, "do": "550 5.7.1 your mail looks like spam"}
    sink.behave(rule, extensions=extensions)
    # Behind it the lanes that were under way have recorded what they did.
    with sending() as edition:
        wait_for(lambda: counting.status(edition) == "held", what="a held edition")

    found = counting.count(edition, sink, scenario=f"550 5.7.1 to every {at}, {extensions[-1]}")
    assert found.arrived == set()
    assert found.by_status == {"pending": found.readers}
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("extensions", "resend"),
    [(PLAIN, True), (PIPELINING, True), (CHUNKING, True), (CHUNKING, False)],
    ids=["plain", "pipelining", "chunking", "chunking, left"],
)
def test_silence_after_the_last_byte(sink, send, settings, monkeypatch, extensions, resend):
    settings.RESEND_UNCERTAIN = resend
    # Longer than this sink ever takes on a crowded machine, far shorter than a real one's minutes.
    monkeypatch.setattr(patience, "CONTENT_TIMEOUT", 3.0)
    rule = {"at": "END", "share": SILENCES, "tries": 1, "do": SILENT}
    sink.behave(rule, extensions=extensions)
    edition = send()

    scenario = f"silence after the last byte, {extensions[-1]}, again: {resend}"
    found = counting.count(edition, sink, scenario=scenario)
    found.nobody_twice_unknown()
    silent = chosen(SILENCES)
    assert silent
    assert silent <= found.uncertain
    found.at_most_a_window_each(lanes=len(silent))
    if resend:
        found.everybody_got_it()
    else:
        assert found.extra == 0
        assert found.by_status["uncertain"] == found.uncertain
        assert found.sent == found.readers - found.uncertain


@in_each_mode
def test_hanging_up_inside_the_content(sink, send, extensions):
    sink.behave({"at": "BODY", "every": 100, "tries": 1, "do": CUT}, extensions=extensions)
    edition = send()

    found = counting.count(edition, sink, scenario=f"hang-up in the content, {extensions[-1]}")
    found.everybody_got_it_or_was_lost_twice()
    found.at_most_a_window_each(lanes=sink.counts["cut at BODY"])


@in_each_mode
def test_hanging_up_behind_the_content(sink, send, extensions):
    sink.behave({"at": "END", "every": 100, "tries": 1, "do": CUT}, extensions=extensions)
    edition = send()

    found = counting.count(edition, sink, scenario=f"hang-up behind it, {extensions[-1]}")
    found.everybody_got_it_or_was_lost_twice()
    found.at_most_a_window_each(lanes=sink.counts["cut at END"])
