"""An unsubscribe takes effect immediately, also for planned rows and a window being sent."""

import threading

import pytest
from django.db import connection

from digest.delivery.lane import outbox
from subscribers.preferences.leaving import unsubscribe
from tests.digest.delivery.conftest import row, rows
from tests.factories import NOW
from tests.servers.smtp import ScriptedServer, running

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_a_planned_row_is_skipped_as_soon_as_its_reader_unsubscribes(
    edition, readers, start_sending
):
    (reader,) = readers(1)
    start_sending()

    unsubscribe(subscription_id=reader.pk, now=NOW)

    assert (row(reader).status, row(reader).reason) == ("skipped", "unsubscribed")


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_unsubscribes_while_their_window_is_being_sent_gets_nothing(
    edition, readers, start_sending, run_lane, settings
):
    subscriptions = readers(6)
    start_sending()
    is_at_second, may_continue = threading.Event(), threading.Event()

    def slow(verb, line, server):
        if verb == "CONTENT" and "reader1@" in line:
            is_at_second.set()
            assert may_continue.wait(10)
        return

    with running(ScriptedServer(script=slow)) as server:
        settings.EMAIL_RELAYS = [server.relay]

        def unsubscribe_fifth():
            is_at_second.wait(10)
            unsubscribe(subscription_id=subscriptions[4].pk, now=NOW)
            # Long enough that the lane no longer trusts what it knew at the claim.
            threading.Event().wait(outbox.TRUST_SECONDS * 1.5)
            may_continue.set()
            connection.close()

        thread = threading.Thread(target=unsubscribe_fifth)
        thread.start()
        run_lane()
        thread.join(10)

    assert [to for to, _ in server.arrived] == [f"reader{n}@example.com" for n in (0, 1, 2, 3, 5)]
    assert rows(edition)["reader4@example.com"] == ("skipped", "unsubscribed")
