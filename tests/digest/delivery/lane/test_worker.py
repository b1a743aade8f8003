"""A real Celery worker is stopped, killed, or loses its queue in the middle of a delivery."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.utils.timezone import now
from redis import Redis

from config import celery_app
from digest.delivery.lane.recover import LEASE, recover
from digest.delivery.ledger import WINDOW
from digest.delivery.pacing import connection_slots
from digest.delivery.planning import start
from digest.delivery.progress.report import tally
from digest.editions.decide.approve import approve
from digest.models import Edition
from digest.tasks import send_lane, start_lanes
from tests import factories
from tests.digest.delivery.conftest import status
from tests.servers.smtp import ScriptedServer, running
from tests.support.paths import ROOT
from tests.support.waiting import wait_for
from tests.support.worker import process_environment

pytestmark = [pytest.mark.subprocess, pytest.mark.django_db(transaction=True)]
# The worker of the test session does not serve this queue.
QUEUE = "test-worker"


@pytest.fixture(autouse=True)
def _empty_delivery_queue():
    """Empty the delivery queue, into which a lane that stops puts the next task."""
    yield
    Redis.from_url(django_settings.REDIS_URL).delete("delivery")


class Slowdown:
    """Slow the server down from the thirtieth message on, until a test has seen enough.

    So a lane is still sending when the test stops or kills its worker.
    """

    is_slow = True

    def __call__(self, verb, line, server):
        if verb == "CONTENT" and self.is_slow and len(server.arrived) > 30:
            time.sleep(0.03)


@pytest.fixture
def slowdown():
    return Slowdown()


@pytest.fixture
def server(settings, slowdown):
    with running(ScriptedServer(script=slowdown)) as server:
        settings.EMAIL_RELAYS = [server.relay]
        yield server


@pytest.fixture
def start_worker(server):
    """Start worker processes for this test; those that it leaves running are killed."""
    processes = []

    def start_one():
        env = process_environment(server.port)
        name = f"own{len(processes)}@localhost"
        command = [
            sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1", "-Q", QUEUE,
            "-n", name, "--without-gossip", "--without-mingle",
        ]  # fmt: skip
        process = subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)
        processes.append(process)
        wait_for(
            lambda: celery_app.control.ping([name], timeout=0.5, limit=1), seconds=60, what=name
        )
        return process

    yield start_one
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.fixture
def edition():
    edition = factories.edition(
        factories.newsletter(), sends_at=now(), deadline_at=now() + timedelta(hours=1)
    )
    for n in range(120):
        factories.subscription(edition.newsletter, f"r{n}@example.com")
    approve(edition_id=edition.pk, now=now())
    start.start_delivery(edition_id=edition.pk, now=now())
    start.plan_audience(edition_id=edition.pk, now=now())
    return edition


def send(edition):
    send_lane.apply_async(kwargs={"edition_id": edition.pk}, queue=QUEUE)


def is_sent(edition):
    return status(edition) == Edition.Status.SENT


def everybody_once(server):
    addresses = [to for to, _ in server.arrived]
    return len(addresses) == len(set(addresses)) == 120


@pytest.mark.parametrize("whole_group", [False, True])
def test_a_stopped_worker_drains_and_another_one_continues(
    edition, server, slowdown, start_worker, whole_group
):
    worker = start_worker()
    send(edition)
    wait_for(lambda: len(server.arrived) > 30, what="a window and a half")
    stopped_at = time.monotonic()
    if whole_group:
        os.killpg(worker.pid, signal.SIGTERM)
    else:
        worker.terminate()
    worker.wait(15)

    assert time.monotonic() - stopped_at < 10
    counted = tally(edition.pk)
    assert (counted.sending, counted.uncertain) == (0, 0)
    assert counted.sent == len(server.arrived) < 120

    slowdown.is_slow = False
    start_worker()
    send(edition)
    wait_for(lambda: is_sent(edition), what="the edition's end")
    assert everybody_once(server)


def test_a_killed_worker_is_replaced_and_nobody_is_lost(edition, server, slowdown, start_worker):
    worker = start_worker()
    send(edition)
    wait_for(lambda: len(server.arrived) > 30, what="a window and a half")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)
    wait_for(connection_slots.available, what="the dead lane's connection slot")

    lost = tally(edition.pk).sending
    assert 0 < lost <= WINDOW
    assert recover(now=now() + LEASE * 1.1) == lost

    slowdown.is_slow = False
    start_worker()
    # Recovery deferred these rows by a clock that is ahead; by the worker's they are not due yet.
    edition.deliveries.filter(status="uncertain").update(next_attempt_at=now())
    send(edition)
    wait_for(lambda: is_sent(edition), what="the edition's end")
    addresses = [to for to, _ in server.arrived]
    assert len(set(addresses)) == 120
    assert len(addresses) - 120 <= lost
    assert tally(edition.pk).sent_again == lost


def test_a_flushed_redis_only_delays_the_send(edition, server, slowdown, start_worker):
    start_worker()
    send(edition)
    wait_for(lambda: len(server.arrived) > 30, what="a window and a half")
    Redis.from_url(django_settings.REDIS_URL).flushdb()

    # Ticks would do the same again and again; the lane that runs holds the only connection slot.
    for _ in range(3):
        start_lanes(edition.pk)
        send(edition)
    slowdown.is_slow = False
    wait_for(lambda: is_sent(edition), what="the edition's end")
    assert everybody_once(server)
