"""Who changes zone or hour at the moment their row is planned, moved or claimed gets it once."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_until

import pytest
from django.db import connection, transaction

from digest.delivery import page, plan
from digest.delivery import waves as rows_of_waves
from digest.delivery.claim import Claimant, claim
from digest.editions import waves
from digest.models import Delivery
from subscribers.preferences import set_person
from tests.delivery.conftest import row
from tests.delivery.waves.world import utc

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def aside():
    """Do something in a thread with a connection of its own."""
    with ThreadPoolExecutor(4) as pool:

        def run(act, **fields):
            def one():
                try:
                    return act(**fields)
                finally:
                    connection.close()

            return pool.submit(one)

        yield run


def move(subscription, zone, at):
    set_person(subscription_id=subscription.pk, language="", timezone=zone, now=at)


class Halt:
    """Where one thread waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.goes_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        if not self.reached.is_set():
            self.reached.set()
            assert self.goes_on.wait(10)


def let_go_on_once_done_or_waiting(halt: Halt, *others: Future) -> None:
    """The others are through, or wait for a lock that the halted one holds."""
    wait_until(others, timeout=0.5)
    halt.goes_on.set()


@pytest.mark.parametrize(
    ("home", "start_at"),
    [
        # Would get it at the hour of before.
        ("America/New_York", utc(9, 17)),
        # Where it is yesterday's by now: would get none.
        ("Pacific/Kiritimati", utc(10, 11)),
    ],
)
def test_who_moves_while_their_page_is_planned_gets_it_at_the_new_hour(
    reader, started, aside, monkeypatch, home, start_at
):
    moved = reader(home)
    reader("Pacific/Honolulu")
    halt, add = Halt(), page.add

    def add_and_halt(*args, **fields):
        found = add(*args, **fields)
        halt()
        return found

    monkeypatch.setattr(page, "add", add_and_halt)
    planning = aside(started, now=start_at)
    assert halt.reached.wait(10)
    moving = aside(move, subscription=moved, zone="America/Los_Angeles", at=start_at)
    let_go_on_once_done_or_waiting(halt, moving)
    planning.result(10), moving.result(10)

    assert row(moved).next_attempt_at == row(moved).due_at == utc(10, 14)
    assert Delivery.objects.filter(subscription=moved).count() == 1


def test_who_moves_before_their_page_is_planned_is_planned_by_the_new_clock(reader, started):
    moved = reader("America/New_York")
    reader("Pacific/Honolulu")
    edition = started()
    Delivery.objects.all().delete()
    type(edition).objects.update(planned_at=None, planned_to=0)

    move(moved, "America/Los_Angeles", utc(9, 18))
    plan.plan_audience(edition_id=edition.pk, now=utc(9, 18))

    assert row(moved).due_at == utc(10, 14)


def test_of_two_moves_at_once_the_row_has_the_clock_that_is_kept(
    reader, started, aside, monkeypatch
):
    moved = reader("America/New_York")
    reader("Pacific/Honolulu")
    started()
    halt, turn_of = Halt(), waves.turn_of

    def halt_and_turn(*args, **fields):
        halt()
        return turn_of(*args, **fields)

    monkeypatch.setattr(rows_of_waves.waves, "turn_of", halt_and_turn)
    first = aside(move, subscription=moved, zone="America/Chicago", at=utc(9, 18))
    assert halt.reached.wait(10)
    second = aside(move, subscription=moved, zone="America/Los_Angeles", at=utc(9, 18))
    let_go_on_once_done_or_waiting(halt, second)
    first.result(10), second.result(10)

    moved.subscriber.refresh_from_db()
    assert moved.subscriber.timezone == "America/Los_Angeles"
    assert row(moved).due_at == utc(10, 14)


def test_whom_a_lane_claims_at_that_moment_is_the_lanes_and_not_moved(reader, started, aside):
    moved = reader("Asia/Tokyo")
    reader("Pacific/Honolulu")
    edition = started()
    claimant = Claimant(edition.pk, edition.revision, "lane", "relay")

    with transaction.atomic():
        (claimed,) = claim(claimant, now=utc(9, 22)).rows
        moving = aside(move, subscription=moved, zone="America/Los_Angeles", at=utc(9, 22))
        wait_until([moving], timeout=0.5)
    moving.result(10)

    assert claimed.subscription_id == moved.pk
    assert (row(moved).status, row(moved).due_at) == ("sending", utc(9, 22))
    assert claim(claimant, now=utc(10, 14)).rows == []


def test_whom_a_move_holds_at_that_moment_no_lane_claims(reader, started, aside, monkeypatch):
    moved = reader("Asia/Tokyo")
    reader("Pacific/Honolulu")
    edition = started()
    claimant = Claimant(edition.pk, edition.revision, "lane", "relay")
    halt, turn_of = Halt(), waves.turn_of

    def turn_and_halt(*args, **fields):
        found = turn_of(*args, **fields)
        halt()
        return found

    monkeypatch.setattr(rows_of_waves.waves, "turn_of", turn_and_halt)
    moving = aside(move, subscription=moved, zone="America/Los_Angeles", at=utc(9, 22))
    assert halt.reached.wait(10)
    assert claim(claimant, now=utc(9, 22)).rows == []
    halt.goes_on.set()
    moving.result(10)

    assert claim(claimant, now=utc(9, 22)).rows == []
    (claimed,) = claim(claimant, now=utc(10, 14)).rows
    assert claimed.subscription_id == moved.pk
