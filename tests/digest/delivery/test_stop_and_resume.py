"""An edition is stopped in mid-send, corrected, resumed, and its first readers get a correction."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from digest.delivery.lane import lane
from digest.delivery.planning import start
from digest.editions.decide.approve import approve
from digest.editions.decide.stop import stop_sending
from digest.editions.edit import correct, curate
from digest.models import Delivery, Edition
from tests.digest.delivery.conftest import status
from tests.factories import NOW
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db


def resume(edition):
    approve(edition_id=edition.pk, now=NOW)
    start.start_delivery(edition_id=edition.pk, now=NOW)
    start.plan_audience(edition_id=edition.pk, now=NOW)


def subjects(relay):
    return {mail.rcpt_to: mail.message["Subject"] for mail in relay.received}


def test_each_reader_gets_one_version_and_the_first_readers_a_correction(
    edition, readers, start_sending, run_lane, relay
):
    found = readers(4)
    start_sending()
    later = Delivery.objects.filter(subscription__in=found[2:])
    later.update(next_attempt_at=NOW + timedelta(minutes=1))
    run_lane()
    assert len(relay.received) == 2

    stop_sending(edition_id=edition.pk, now=NOW)
    run_lane("lane-2", now=NOW + timedelta(minutes=2))
    assert len(relay.received) == 2
    item = edition.items.first()
    curate.edit_item(
        edition_id=edition.pk, item_id=item.pk, edit=curate.ItemEdit(headline="Put right")
    )
    Edition.objects.filter(pk=edition.pk).update(subject="Put right")
    resume(edition)
    run_lane("lane-3", now=NOW + timedelta(minutes=2))

    assert status(edition) == Edition.Status.SENT
    assert subjects(relay) == {
        "reader0@example.com": "The day's top stories",
        "reader1@example.com": "The day's top stories",
        "reader2@example.com": "Put right",
        "reader3@example.com": "Put right",
    }
    assert "Put right" in relay.mails_to("reader3@example.com")[0].part("html")
    rows = Delivery.objects.filter(edition=edition).order_by("subscription_id")
    assert list(rows.values_list("revision", flat=True)) == [1, 1, 2, 2]

    relay.received.clear()
    correction = correct.draft_correction(edition_id=edition.pk, note="It was Friday.", now=NOW)
    resume(correction)
    lane.run_lane(edition_id=correction.pk, lane="lane-4", clock=lambda: NOW)

    assert subjects(relay) == {f"reader{n}@example.com": "Correction: Put right" for n in (0, 1)}
    assert status(correction) == Edition.Status.SENT


@pytest.mark.django_db(transaction=True)
def test_a_running_lane_stops_within_its_window(edition, readers, start_sending, relay):
    readers(400)
    start_sending()

    def send():
        lane.run_lane(edition_id=edition.pk, lane="lane-1", clock=lambda: NOW)
        connection.close()

    sending = threading.Thread(target=send)
    sending.start()
    wait_for(lambda: len(relay.received) > 20, what="the first messages")
    stop_sending(edition_id=edition.pk, now=NOW)
    on_the_wire = len(relay.received)
    sending.join(20)

    assert not sending.is_alive()
    assert len(relay.received) <= on_the_wire + 20
    assert status(edition) == Edition.Status.HELD
    rows = Delivery.objects.filter(edition=edition)
    assert rows.filter(status="sent").count() == len(relay.received)
    assert rows.filter(status="pending").count() == 400 - len(relay.received)
