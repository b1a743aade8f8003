"""A lane continues behind its last row, waits for readers who are due soon, and fails over."""

from __future__ import annotations

import socket
import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from digest import tasks
from digest.delivery.lane import cursor, db_session, lane
from digest.delivery.lane.claim import PendingClaim
from digest.delivery.lane.lane import End
from digest.delivery.ledger import WINDOW
from digest.delivery.pacing import circuit_breaker
from digest.delivery.planning import due, finish, start
from digest.delivery.progress.report import tally
from digest.editions.decide.approve import approve
from digest.editions.decide.release import Release, release
from digest.editions.decide.stop import stop_sending
from digest.models import Delivery, Edition
from subscribers.mail.relays import parse_relay
from subscribers.models import Suppression
from subscribers.preferences import leaving
from tests import factories
from tests.digest.delivery.conftest import later, row, rows, status
from tests.factories import NOW
from tests.servers.smtp import ScriptedServer, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    with running(ScriptedServer()) as server:
        settings.EMAIL_RELAYS = [server.relay]
        yield server


@pytest.fixture
def unreachable_relay():
    """A relay that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    relay = parse_relay(f"smtp://127.0.0.1:{port}?name=unreachable")
    yield relay
    circuit_breaker.record_success(relay)


def test_the_next_relay_takes_over_from_an_unreachable_one(
    edition, readers, start_sending, run_lane, server, unreachable_relay, settings
):
    settings.EMAIL_RELAYS = [unreachable_relay, server.relay]
    readers(3)
    start_sending()

    assert run_lane() is End.DONE
    assert tally(edition.pk).sent == 3
    assert set(Delivery.objects.values_list("relay", flat=True)) == {server.relay.name}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    assert circuit_breaker.is_open(unreachable_relay)


def test_every_reader_waits_while_no_relay_can_be_reached(
    edition, readers, start_sending, run_lane, unreachable_relay, settings
):
    settings.EMAIL_RELAYS = [unreachable_relay]
    readers(2)
    start_sending()

    assert run_lane() is End.NO_CONNECTION
    assert set(rows(edition).values()) == {("pending", "")}
    assert status(edition) == Edition.Status.SENDING


def test_an_edition_is_held_only_when_every_relay_refuses_us(
    edition, readers, start_sending, run_lane, server, settings
):
    refuses = ScriptedServer(
        script=lambda verb, *_: "554 5.7.1 go away" if verb == "GREETING" else None
    )
    readers(2)
    start_sending()
    with running(refuses) as other:
        settings.EMAIL_RELAYS = [other.relay, server.relay]
        assert run_lane() is End.DONE
    assert tally(edition.pk).sent == 2


@pytest.mark.django_db(transaction=True)
def test_a_stopped_edition_sends_no_further_window(
    edition, readers, start_sending, run_lane, server
):
    def stop_at_the_third(verb, line, _):
        if verb == "CONTENT" and "reader2@" in line:
            Edition.objects.filter(pk=edition.pk).update(status="held", reason="stopped")
            connection.close()

    readers(2 * WINDOW)
    start_sending()
    server.script = stop_at_the_third
    run_lane()

    assert tally(edition.pk).sent <= WINDOW
    assert tally(edition.pk).sending == 0


def test_a_lane_of_an_older_revision_claims_nobody(
    edition, readers, start_sending, run_lane, server, monkeypatch
):
    readers(2)
    start_sending()
    before = Edition.objects.get(pk=edition.pk)
    monkeypatch.setattr(lane, "_sending_edition", lambda _: before)
    Edition.objects.filter(pk=edition.pk).update(revision=2)

    assert run_lane() is End.DONE
    assert not server.arrived


def test_the_ledger_records_the_revision_and_the_relay_of_each_message(
    edition, readers, start_sending, run_lane, server
):
    sent, refused = readers(2)
    server.script = lambda verb, line, _: (
        "451 4.2.1 later" if verb == "RCPT" and "reader1@" in line else None
    )
    start_sending()
    run_lane()

    assert (row(sent).revision, row(sent).relay) == (1, server.relay.name)
    assert (row(refused).revision, row(refused).relay) == (0, server.relay.name)


def test_a_lane_waits_for_a_reader_who_is_due_soon(
    edition, readers, start_sending, run_lane, server
):
    edition_now = now()
    Edition.objects.filter(pk=edition.pk).update(deadline_at=edition_now + timedelta(hours=1))
    soon, far = readers(2)
    start_sending(NOW)
    Delivery.objects.filter(subscription=soon).update(
        next_attempt_at=edition_now + timedelta(seconds=0.7)
    )
    Delivery.objects.filter(subscription=far).update(
        next_attempt_at=edition_now + timedelta(minutes=2)
    )

    assert run_lane(clock=now) is End.DONE
    assert (row(soon).status, row(far).status) == ("sent", "pending")


def test_planning_continues_batch_by_batch_where_it_stopped(edition, readers, monkeypatch):
    monkeypatch.setattr(start, "BATCH_SIZE", 4)
    readers(9)
    start.start_delivery(edition_id=edition.pk, now=NOW)

    assert start.plan_batch(edition_id=edition.pk, now=NOW)
    assert (edition.deliveries.count(), start.half_planned()) == (4, [edition.pk])
    assert not finish.finish_if_done(edition_id=edition.pk, now=NOW)
    start.plan_audience(edition_id=edition.pk, now=NOW)
    edition.refresh_from_db()
    assert (edition.deliveries.count(), start.half_planned()) == (9, [])
    assert (edition.audience, edition.planned_at) == (9, NOW)


def test_readers_not_planned_by_the_deadline_are_skipped_as_past_it(edition, readers, monkeypatch):
    monkeypatch.setattr(start, "BATCH_SIZE", 2)
    readers(5)
    start.start_delivery(edition_id=edition.pk, now=NOW)
    start.plan_batch(edition_id=edition.pk, now=NOW)

    finish.close_late(now=edition.deadline_at)
    assert set(rows(edition).values()) == {("skipped", "past-deadline")}
    assert len(rows(edition)) == 5


def test_two_editions_take_turns_on_a_connection(edition, readers, start_sending):
    start_sending()
    other = factories.edition(factories.newsletter(), sends_at=NOW)
    factories.force_update(Edition.objects.filter(pk=other.pk), status="sending", planned_at=NOW)

    assert due.next_in_turn(edition.pk, now=NOW) == other.pk
    assert due.next_in_turn(other.pk, now=NOW) == edition.pk


@pytest.mark.django_db(transaction=True)
def test_a_lane_counts_as_dead_once_its_database_session_has_ended():
    holds, may_end = threading.Event(), threading.Event()

    def hold():
        with db_session.lane_session("alive"):
            holds.set()
            may_end.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait(20)
    assert db_session.dead_lanes(["alive", "never lived"]) == ["never lived"]
    may_end.set()
    thread.join(20)
    assert db_session.dead_lanes(["alive"]) == ["alive"]


@pytest.mark.django_db(transaction=True)
def test_an_unsubscribe_is_answered_once_the_lane_with_the_row_has_looked(
    edition, readers, start_sending
):
    (reader,) = readers(1)
    start_sending()
    Delivery.objects.filter(subscription=reader).update(status="sending", claimed_at=NOW)

    # A second click, for example by a mail provider's machine, is not answered sooner.
    for _ in range(2):
        began = time.monotonic()
        leaving.unsubscribe(subscription_id=reader.pk, now=NOW)
        assert time.monotonic() - began >= start.RECHECK_SECONDS


def test_one_reader_refused_by_policy_does_not_block_the_others(
    edition, readers, start_sending, run_lane, server
):
    refused, *_others = readers(3)
    server.script = lambda verb, line, _: (
        "554 5.7.1 access denied" if verb == "RCPT" and "reader0@" in line else None
    )
    start_sending()
    assert run_lane() is End.HELD
    assert (row(refused).status, row(refused).reason) == ("pending", "refused")

    approve(edition_id=edition.pk, now=later(seconds=10))
    start_sending(later(seconds=10))
    assert run_lane("resumed", now=later(seconds=10)) is End.DONE
    assert tally(edition.pk).sent == 2

    assert run_lane("last", now=later(minutes=2)) is End.DONE
    assert (row(refused).status, row(refused).reason) == ("failed", "refused")
    assert status(edition) == Edition.Status.SENT
    assert not Suppression.objects.exists()


def test_an_uncertain_reader_who_is_deferred_stays_uncertain(
    edition, readers, start_sending, run_lane, server
):
    (reader,) = readers(1)
    start_sending()
    factories.force_update(
        Delivery.objects.filter(subscription=reader),
        status="uncertain", uncertain_at=NOW, attempts=1, revision=1,
    )  # fmt: skip
    server.script = lambda verb, *_: "451 4.3.0 later" if verb == "RCPT" else None
    run_lane()

    assert (row(reader).status, row(reader).revision) == ("uncertain", 1)
    assert (row(reader).finished_at, row(reader).attempts) == (None, 2)


def test_a_window_claimed_by_a_statement_without_an_answer_is_released(
    edition, readers, start_sending, run_lane, server, monkeypatch
):
    readers(5)
    start_sending()

    def loses_its_answer(*args, **kwargs):
        monkeypatch.setattr(cursor, "PendingClaim", PendingClaim)
        PendingClaim(*args, **kwargs).window()
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(cursor, "PendingClaim", loses_its_answer)
    assert run_lane() is End.MORE
    assert set(rows(edition).values()) == {("pending", "")}
    assert run_lane("next") is End.DONE
    assert tally(edition.pk).sent == 5


def test_an_unreadable_frozen_page_holds_the_edition(
    edition, readers, start_sending, run_lane, server
):
    readers(1)
    start_sending()
    edition.frozen_pages.update(html_segments=[{"strange": "page"}])

    assert run_lane() is End.HELD
    held = Edition.objects.get(pk=edition.pk)
    assert (held.status, held.reason) == ("held", "not-sendable")


def test_an_edition_that_ends_while_held_has_the_revision_its_readers_got(
    edition, readers, start_sending
):
    sent, _other = readers(2)
    start_sending()
    factories.force_update(Delivery.objects.filter(subscription=sent), status="sent", revision=1)
    factories.force_update(
        Edition.objects.filter(pk=edition.pk), status="held", reason="stopped", revision=2
    )

    finish.close_late(now=edition.deadline_at)
    ended = Edition.objects.get(pk=edition.pk)
    assert (ended.status, ended.revision) == ("sent", 1)


def test_a_lane_without_a_broker_continues_in_its_own_task(monkeypatch):
    ends = [End.MORE, End.MORE, End.DONE]
    monkeypatch.setattr(lane, "run_lane", lambda **_: ends.pop(0))
    monkeypatch.setattr(tasks, "enqueue_now", lambda *_, **__: False)

    tasks.send_lane(edition_id=1)
    assert not ends


def test_a_tick_with_a_failing_step_runs_the_other_steps(monkeypatch, caplog):
    done = []

    def fails(*, now):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(tasks, "recover", fails)
    monkeypatch.setattr(tasks.start, "half_planned", lambda: done.append("deliver") or [])
    tasks.tick()

    assert done == ["deliver"]
    assert "a fault of ours" in caplog.text


def test_one_domain_that_defers_its_readers_again_does_not_open_the_breaker(
    edition, start_sending, run_lane, server
):
    for number in range(2 * WINDOW):
        for domain in ("slow.example", "quick.example"):
            factories.subscription(edition.newsletter, f"r{number}@{domain}")
    server.script = lambda verb, line, _: (
        "451 4.2.1 later" if verb == "RCPT" and "slow.example" in line else None
    )
    start_sending()
    assert run_lane() is End.DONE

    assert run_lane("again", now=later(minutes=2)) is End.DONE
    assert not circuit_breaker.is_open(server.relay)
    assert set(Delivery.objects.filter(status="pending").values_list("attempts", flat=True)) == {2}


def test_the_end_of_an_edition_is_decided_by_one_query(
    edition, readers, start_sending, django_assert_num_queries
):
    """Between two queries a row that is being sent may become pending, and nobody would send it."""
    (reader,) = readers(1)
    start_sending()
    for status_, still_open in (("pending", True), ("sending", True), ("sent", False)):
        factories.force_update(Delivery.objects.filter(subscription=reader), status=status_)
        with django_assert_num_queries(1):
            assert finish.has_open_rows(edition.pk) is still_open


def test_an_edition_started_early_resumes_immediately_after_a_stop(
    edition, readers, start_sending, run_lane, server
):
    Edition.objects.filter(pk=edition.pk).update(
        sends_at=later(days=2), deadline_at=later(days=2, hours=3)
    )
    readers(1)
    start_sending()
    stop_sending(edition_id=edition.pk, detail="", now=NOW)
    approve(edition_id=edition.pk, now=later(minutes=1))

    assert release(edition_id=edition.pk, now=later(minutes=1)) is Release.SEND
