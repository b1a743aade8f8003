"""Relays that are down, slow down, refuse, fall silent or disconnect.

These faults kill no process, so the lanes are threads of this process and need no Celery.
"""

import time
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from digest.delivery.lane import lane, outbox
from digest.delivery.pacing import circuit_breaker
from digest.delivery.transport.smtp import timeouts
from digest.models import Delivery
from subscribers.mail.relays import parse_relay
from subscribers.models import Suppression
from tests.faults import comparison, lanes
from tests.faults.deployment import SinkProcess
from tests.servers.sink import (
    CHUNKING,
    CUT,
    MODES,
    PIPELINING,
    PLAIN,
    SILENT,
    is_chosen,
)
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

READERS, LANES = 800, 3
# 0.5 % of 800 readers are several.
SILENT_SHARE = 0.005
in_each_mode = pytest.mark.parametrize("extensions", MODES, ids=["plain", "pipelining", "chunking"])
# The product's waits, shortened: the tests gain nothing from waiting longer.
SHORT_WAITS = [
    (lane, "LANE_SECONDS", 5.0),
    (outbox, "FIRST_RETRY", timedelta(seconds=1)),
    (circuit_breaker, "FIRST_OPEN_SECONDS", 0.5),
    (circuit_breaker, "MAX_OPEN_SECONDS", 1.0),
    (circuit_breaker, "PROBE_SECONDS", 3.0),
]


@pytest.fixture(scope="module")
def _sink():
    sink = SinkProcess()
    yield sink
    sink.stop()


@pytest.fixture
def sink(_sink, settings, monkeypatch):
    """A relay without faults, of which no process has learnt anything yet."""
    _sink.reset()
    url = f"smtp://127.0.0.1:{_sink.port}?connections={LANES}&name=sink-{uuid4().hex}"
    settings.EMAIL_RELAYS = [parse_relay(url)]
    for module, name, value in SHORT_WAITS:
        monkeypatch.setattr(module, name, value)
    return _sink


@pytest.fixture
def sending(sink):
    """Send an edition inside the block, while the test may change what the sink does."""

    @contextmanager
    def sending():
        edition = comparison.approved_edition(readers=READERS)
        with lanes.running(edition):
            yield edition

    return sending


@pytest.fixture
def send(sending):
    """Send an edition to the end."""

    def send():
        with sending() as edition:
            comparison.wait_until_sent(edition)
        return edition

    return send


def chosen(share):
    return {email for n in range(1, READERS + 1) if is_chosen(email := f"r{n}@example.com", share)}


def test_a_relay_that_is_down_at_the_start_only_delays_the_send(sink, sending, settings, rng):
    sink.down()
    with sending() as edition:
        wait_for(
            lambda: circuit_breaker.unavailable(settings.EMAIL_RELAYS),
            what="a lane that cannot connect",
        )
        time.sleep(rng.uniform(0, 1))
        assert sink.count == 0
        sink.up()
        comparison.wait_until_sent(edition)

    found = comparison.count(edition, sink, scenario="relay down at the start")
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()
    assert not Delivery.objects.exclude(attempts=1).exists()


@in_each_mode
def test_a_relay_that_goes_down_in_mid_send_loses_nobody(sink, sending, rng, extensions):
    sink.behave(extensions=extensions, pace=0.001)
    with sending() as edition:
        sink.wait_for(rng.randint(1, READERS // 2))
        sink.down()
        time.sleep(rng.uniform(0, 2))
        sink.up()
        comparison.wait_until_sent(edition)

    found = comparison.count(edition, sink, scenario=f"relay down in the middle, {extensions[-1]}")
    found.assert_everybody_got_it()
    found.assert_at_most_a_window_per_lane(lanes=LANES)


@pytest.mark.parametrize("at", ["RCPT", "END"])
def test_a_421_on_every_tenth_message_loses_and_doubles_nobody(sink, send, rng, at):
    extensions = rng.choice(MODES)
    rule = {"at": at, "every": 10, "do": "421 4.7.0 too many, try again later"}
    sink.behave(rule, extensions=extensions)
    edition = send()

    found = comparison.count(edition, sink, scenario=f"421 on every tenth {at}, {extensions[-1]}")
    found.assert_everybody_got_it()
    found.assert_duplicates_are_uncertain()
    # The server closes behind a 421, so it cannot have accepted what was sent after it.
    found.assert_nobody_got_it_twice()


@in_each_mode
def test_a_limit_of_twenty_messages_per_connection_loses_and_doubles_nobody(sink, send, extensions):
    sink.behave(extensions=extensions, messages_per_connection=20)
    edition = send()

    found = comparison.count(edition, sink, scenario=f"20 messages a connection, {extensions[-1]}")
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()


def test_readers_deferred_twice_get_the_message_at_the_third_attempt(sink, send, rng):
    extensions = rng.choice(MODES)
    rule = {"at": "RCPT", "share": 0.05, "tries": 2, "do": "451 4.7.1 greylisted"}
    sink.behave(rule, extensions=extensions)
    edition = send()

    found = comparison.count(edition, sink, scenario=f"5 % deferred twice, {extensions[-1]}")
    found.assert_everybody_got_it()
    found.assert_nobody_got_it_twice()
    deferred = Delivery.objects.filter(attempts=3)
    assert set(deferred.values_list("subscription__subscriber__email", flat=True)) == chosen(0.05)


@in_each_mode
def test_addresses_that_do_not_exist_fail_and_are_suppressed(sink, send, extensions):
    rule = {"at": "RCPT", "share": 0.01, "do": "550 5.1.1 no such user"}
    sink.behave(rule, extensions=extensions)
    edition = send()

    found = comparison.count(edition, sink, scenario=f"1 % do not exist, {extensions[-1]}")
    missing = chosen(0.01)
    assert found.by_status == {"failed": missing, "sent": found.readers - missing}
    assert found.arrived == found.sent
    found.assert_nobody_got_it_twice()
    assert set(Suppression.objects.values_list("email_key", flat=True)) == missing


@pytest.mark.parametrize("at", ["MAIL", "RCPT", "END"])
def test_a_refusal_by_policy_holds_the_edition_and_fails_nobody(sink, sending, rng, at):
    extensions = rng.choice(MODES)
    rule = {"at": at, "do": "550 5.7.1 your mail looks like spam"}
    sink.behave(rule, extensions=extensions)
    # After the block the lanes that were running have recorded their outcomes.
    with sending() as edition:
        wait_for(lambda: comparison.status(edition) == "held", what="a held edition")

    found = comparison.count(edition, sink, scenario=f"550 5.7.1 to every {at}, {extensions[-1]}")
    assert found.arrived == set()
    assert found.by_status == {"pending": found.readers}
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("extensions", "resend"),
    [(PLAIN, True), (PIPELINING, True), (CHUNKING, True), (CHUNKING, False)],
    ids=["plain", "pipelining", "chunking", "chunking, left"],
)
def test_silence_after_the_last_byte_leaves_readers_uncertain(
    sink, send, settings, monkeypatch, extensions, resend
):
    settings.RESEND_UNCERTAIN = resend
    # This is longer than the sink ever takes on a busy machine, and far shorter than the minutes
    # that a real relay gets.
    monkeypatch.setattr(timeouts, "CONTENT_TIMEOUT", 3.0)
    rule = {"at": "END", "share": SILENT_SHARE, "tries": 1, "do": SILENT}
    sink.behave(rule, extensions=extensions)
    edition = send()

    scenario = f"silence after the last byte, {extensions[-1]}, again: {resend}"
    found = comparison.count(edition, sink, scenario=scenario)
    found.assert_duplicates_are_uncertain()
    silent = chosen(SILENT_SHARE)
    assert silent
    assert silent <= found.uncertain
    found.assert_at_most_a_window_per_lane(lanes=len(silent))
    if resend and extensions == PLAIN:
        found.assert_everybody_got_it()
    elif resend:
        # Behind a silent message others are in flight. One of these may meet silence again.
        found.assert_everybody_got_it_or_is_uncertain()
        left = Delivery.objects.filter(status="uncertain")
        assert all(attempts >= 2 for attempts in left.values_list("attempts", flat=True))
    else:
        assert found.duplicates == 0
        assert found.by_status["uncertain"] == found.uncertain
        assert found.sent == found.readers - found.uncertain


@in_each_mode
def test_a_disconnect_inside_the_content_loses_only_readers_marked_uncertain(
    sink, send, extensions
):
    sink.behave({"at": "BODY", "every": 100, "tries": 1, "do": CUT}, extensions=extensions)
    edition = send()

    found = comparison.count(edition, sink, scenario=f"disconnect in the content, {extensions[-1]}")
    found.assert_everybody_got_it_or_is_uncertain()
    found.assert_at_most_a_window_per_lane(lanes=sink.counts["cut at BODY"])


@in_each_mode
def test_a_disconnect_after_the_content_loses_only_readers_marked_uncertain(sink, send, extensions):
    sink.behave({"at": "END", "every": 100, "tries": 1, "do": CUT}, extensions=extensions)
    edition = send()

    found = comparison.count(edition, sink, scenario=f"disconnect after it, {extensions[-1]}")
    found.assert_everybody_got_it_or_is_uncertain()
    found.assert_at_most_a_window_per_lane(lanes=sink.counts["cut at END"])
