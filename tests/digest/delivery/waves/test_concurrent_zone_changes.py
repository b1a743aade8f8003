"""A reader gets one copy if the zone changes while the row is planned, retimed or claimed."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_until

import pytest
from django.db import connection, transaction

from digest.delivery.lane.claim import Claimant, PendingClaim
from digest.delivery.planning import insert, reader_clock, start
from digest.editions.decide import waves
from digest.models import Delivery
from subscribers.preferences.choices import set_locale
from tests.digest.delivery.conftest import row
from tests.digest.delivery.waves.zones import utc

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def in_background():
    """Run a function in a thread that has a database connection of its own."""
    with ThreadPoolExecutor(4) as pool:

        def run(act, **fields):
            def one():
                try:
                    return act(**fields)
                finally:
                    connection.close()

            return pool.submit(one)

        yield run


def change_zone(subscription, zone, at):
    set_locale(subscription_id=subscription.pk, language="", timezone=zone, now=at)


class PausePoint:
    """A point at which one thread waits until the test lets it continue."""

    def __init__(self) -> None:
        self.reached, self.may_continue = threading.Event(), threading.Event()

    def __call__(self) -> None:
        if not self.reached.is_set():
            self.reached.set()
            assert self.may_continue.wait(10)


def resume_once_done_or_waiting(pause: PausePoint, *others: Future) -> None:
    """Resume when the others are done, or wait for a lock that the paused thread holds."""
    wait_until(others, timeout=0.5)
    pause.may_continue.set()


@pytest.mark.parametrize(
    ("home", "start_at"),
    [
        # Otherwise this reader would get it at the old hour.
        ("America/New_York", utc(9, 17)),
        # In this zone the day is over, so the reader would otherwise get nothing.
        ("Pacific/Kiritimati", utc(10, 11)),
    ],
)
def test_a_reader_who_changes_zone_while_their_batch_is_planned_gets_the_new_hour(
    reader, started, in_background, monkeypatch, home, start_at
):
    moved = reader(home)
    reader("Pacific/Honolulu")
    pause, delivery_rows = PausePoint(), insert.delivery_rows

    def delivery_rows_and_pause(*args, **fields):
        found = delivery_rows(*args, **fields)
        pause()
        return found

    monkeypatch.setattr(insert, "delivery_rows", delivery_rows_and_pause)
    planning = in_background(started, now=start_at)
    assert pause.reached.wait(10)
    moving = in_background(change_zone, subscription=moved, zone="America/Los_Angeles", at=start_at)
    resume_once_done_or_waiting(pause, moving)
    planning.result(10), moving.result(10)

    assert row(moved).next_attempt_at == row(moved).due_at == utc(10, 14)
    assert Delivery.objects.filter(subscription=moved).count() == 1


def test_a_reader_who_changes_zone_before_their_batch_is_planned_gets_the_new_hour(reader, started):
    moved = reader("America/New_York")
    reader("Pacific/Honolulu")
    edition = started()
    Delivery.objects.all().delete()
    type(edition).objects.update(planned_at=None, planned_to=0)

    change_zone(moved, "America/Los_Angeles", utc(9, 18))
    start.plan_audience(edition_id=edition.pk, now=utc(9, 18))

    assert row(moved).due_at == utc(10, 14)


def test_a_row_after_two_concurrent_zone_changes_has_the_zone_that_is_kept(
    reader, started, in_background, monkeypatch
):
    moved = reader("America/New_York")
    reader("Pacific/Honolulu")
    started()
    pause, send_time = PausePoint(), waves.send_time

    def pause_and_send_time(*args, **fields):
        pause()
        return send_time(*args, **fields)

    monkeypatch.setattr(reader_clock.waves, "send_time", pause_and_send_time)
    first = in_background(change_zone, subscription=moved, zone="America/Chicago", at=utc(9, 18))
    assert pause.reached.wait(10)
    second = in_background(
        change_zone, subscription=moved, zone="America/Los_Angeles", at=utc(9, 18)
    )
    resume_once_done_or_waiting(pause, second)
    first.result(10), second.result(10)

    moved.subscriber.refresh_from_db()
    assert moved.subscriber.timezone == "America/Los_Angeles"
    assert row(moved).due_at == utc(10, 14)


def test_a_row_that_a_lane_is_claiming_is_not_retimed(reader, started, in_background):
    moved = reader("Asia/Tokyo")
    reader("Pacific/Honolulu")
    edition = started()
    claimant = Claimant(edition.pk, edition.revision, "lane", "relay")

    with transaction.atomic():
        (claimed,) = PendingClaim(claimant, now=utc(9, 22)).window().rows
        moving = in_background(
            change_zone, subscription=moved, zone="America/Los_Angeles", at=utc(9, 22)
        )
        wait_until([moving], timeout=0.5)
    moving.result(10)

    assert claimed.subscription_id == moved.pk
    assert (row(moved).status, row(moved).due_at) == ("sending", utc(9, 22))
    assert PendingClaim(claimant, now=utc(10, 14)).window().rows == []


def test_a_row_that_is_being_retimed_is_not_claimed(reader, started, in_background, monkeypatch):
    moved = reader("Asia/Tokyo")
    reader("Pacific/Honolulu")
    edition = started()
    claimant = Claimant(edition.pk, edition.revision, "lane", "relay")
    pause, send_time = PausePoint(), waves.send_time

    def send_time_and_pause(*args, **fields):
        found = send_time(*args, **fields)
        pause()
        return found

    monkeypatch.setattr(reader_clock.waves, "send_time", send_time_and_pause)
    moving = in_background(
        change_zone, subscription=moved, zone="America/Los_Angeles", at=utc(9, 22)
    )
    assert pause.reached.wait(10)
    assert PendingClaim(claimant, now=utc(9, 22)).window().rows == []
    pause.may_continue.set()
    moving.result(10)

    assert PendingClaim(claimant, now=utc(9, 22)).window().rows == []
    (claimed,) = PendingClaim(claimant, now=utc(10, 14)).window().rows
    assert claimed.subscription_id == moved.pk
