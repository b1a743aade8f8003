"""A killed lane leaves at most one window uncertain, a stopped one leaves none."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from digest.delivery.lane import cursor, lane, shutdown
from digest.delivery.lane.claim import PendingClaim
from digest.delivery.lane.lane import End
from digest.delivery.lane.recover import GRACE, LEASE, recover
from digest.delivery.ledger import WINDOW
from digest.delivery.pacing import connection_slots
from digest.delivery.progress.report import tally
from digest.models import Edition
from tests.digest.delivery.conftest import row, rows, status
from tests.factories import NOW
from tests.servers.smtp import ScriptedServer, running
from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.support.worker import process_environment

pytestmark = [pytest.mark.subprocess, pytest.mark.django_db(transaction=True)]


def slowly(verb, line, server):
    if verb == "CONTENT":
        time.sleep(0.02)
    return


@pytest.fixture
def server(settings):
    with running(ScriptedServer(script=slowly)) as server:
        settings.EMAIL_RELAYS = [server.relay]
        yield server


LANE = """
import sys
import django
django.setup()
from digest.delivery.lane import lane
from tests.factories import NOW
lane.run_lane(edition_id=int(sys.argv[1]), lane="killed", clock=lambda: NOW)
"""


def in_another_process(edition, server):
    """Start a lane in a process of its own, which is not a fork of this one.

    The threads of this process, such as the SMTP server's, may hold locks that nobody would ever
    release in a forked child.
    """
    env = process_environment(server.port) | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    return subprocess.Popen([sys.executable, "-c", LANE, str(edition.pk)], env=env, cwd=ROOT)


def test_outcomes_are_recorded_although_the_statement_with_them_failed(
    edition, readers, start_sending, run_lane, server, monkeypatch
):
    readers(WINDOW + 1)
    start_sending()
    claims = []

    def first_one_works(*args, **kwargs):
        claims.append(args)
        if len(claims) > 1:
            raise OperationalError("deadlock detected")
        return PendingClaim(*args, **kwargs)

    monkeypatch.setattr(cursor, "PendingClaim", first_one_works)

    assert run_lane() is End.MORE
    found = tally(edition.pk)
    assert found.sent == len(server.arrived) > 0
    assert found.sent + found.pending == WINDOW + 1


def test_a_killed_lane_leaves_one_window_uncertain_and_nobody_lost(
    edition, readers, start_sending, run_lane, server
):
    readers(70)
    start_sending()
    process = in_another_process(edition, server)
    wait_for(lambda: len(server.arrived) >= 30, what="thirty messages")
    process.kill()
    process.wait(10)
    wait_for(connection_slots.available, what="the dead lane's connection slot")

    on_the_wire = tally(edition.pk).sending
    assert 0 < on_the_wire <= WINDOW
    assert recover(now=NOW + GRACE) == 0
    late = NOW + GRACE + timedelta(seconds=1)
    assert recover(now=late) == on_the_wire
    assert tally(edition.pk).uncertain == on_the_wire

    wait_for(connection_slots.available, what="the dead lane's connection slot")
    assert run_lane("next", now=late) is End.DONE

    counted = tally(edition.pk)
    assert (counted.sent, counted.sent_again) == (70, on_the_wire)
    assert status(edition) == Edition.Status.SENT
    got = [to for to, _ in server.arrived]
    assert len(set(got)) == 70
    assert len(got) - 70 <= on_the_wire


def test_sigterm_finishes_the_window_and_exits_within_ten_seconds(
    edition, readers, start_sending, run_lane, server
):
    readers(150)
    start_sending()
    process = in_another_process(edition, server)
    wait_for(lambda: len(server.arrived) >= 25, what="25 messages")
    stopped_at = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    process.wait(30)

    assert time.monotonic() - stopped_at < 10
    assert process.returncode is not None
    counted = tally(edition.pk)
    assert (counted.sending, counted.uncertain) == (0, 0)
    # The lane finished its window, and released the rows that it had claimed ahead.
    assert 25 <= counted.sent == len(server.arrived) < 150
    assert counted.pending == 150 - counted.sent


def test_a_stopping_worker_on_a_slow_connection_releases_the_rest_of_the_window(
    edition, readers, start_sending, run_lane, server, monkeypatch
):
    readers(10)
    start_sending()
    monkeypatch.setattr(lane, "DRAIN_SECONDS", 60)

    def stops_at_third(verb, line, server):
        if verb == "CONTENT" and "reader2@" in line:
            shutdown.request()
        if verb == "CONTENT" and "reader3@" in line:
            # The time for draining ends only now.
            monkeypatch.setattr(lane, "DRAIN_SECONDS", 0)
        return

    server.script = stops_at_third

    assert run_lane() is End.STOPPED
    counted = tally(edition.pk)
    assert (counted.sent, counted.pending, counted.sending) == (4, 6, 0)


def test_a_relay_that_never_answers_does_not_delay_a_stopping_worker(
    edition, readers, start_sending, run_lane, server, monkeypatch
):
    readers(3)
    start_sending()
    monkeypatch.setattr(lane, "DRAIN_SECONDS", 0.2)
    hangs = threading.Event()

    def never(verb, line, server):
        if verb == "RCPT":
            shutdown.request()
            hangs.wait(60)
        return

    server.script = never
    began = time.monotonic()
    run_lane()
    hangs.set()

    assert time.monotonic() - began < 20
    assert set(rows(edition).values()) == {("pending", "")}


def test_concurrent_lanes_send_to_nobody_twice(edition, readers, start_sending, server, settings):
    settings.EMAIL_RELAYS = [replace(server.relay, connections=3)]
    readers(90)
    start_sending()
    ends, two_ended = [], threading.Event()

    def run(name):
        try:
            ends.append(lane.run_lane(edition_id=edition.pk, lane=name, clock=lambda: NOW))
        finally:
            connection.close()
            if len(ends) == 2:
                two_ended.set()

    def slowly_once_two_ended(verb, line, server):
        if verb == "CONTENT":
            two_ended.wait(20)
        return slowly(verb, line, server)

    server.script = slowly_once_two_ended

    lanes = [threading.Thread(target=run, args=[f"lane-{n}"]) for n in range(5)]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join(60)

    assert sorted(to for to, _ in server.arrived) == sorted(rows(edition))
    assert server.connections <= 3
    assert ends.count(End.NO_CONNECTION_SLOT) == 2
    assert status(edition) == Edition.Status.SENT


def test_an_outcome_recorded_after_the_lease_changes_nothing(
    edition, readers, start_sending, run_lane, server, settings
):
    settings.RESEND_UNCERTAIN = False
    (reader,) = readers(1)
    start_sending()

    def lose_the_lease(verb, line, server):
        if verb == "CONTENT":
            recover(now=NOW + 2 * LEASE)
            connection.close()
        return

    server.script = lose_the_lease
    run_lane()

    assert row(reader).status == "uncertain"


def test_a_lane_hands_over_after_its_time_limit(
    edition, readers, start_sending, run_lane, server, monkeypatch
):
    monkeypatch.setattr(lane, "LANE_SECONDS", 0)
    readers(1)
    start_sending()

    assert run_lane() is End.MORE
