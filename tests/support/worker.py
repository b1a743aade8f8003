"""A Celery worker process that serves one test after another, and sleeps between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
from django.conf import settings
from redis import Redis

from config import celery_app
from tests.servers.relay import RelayServer
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

NAME = "tests@localhost"
QUEUES = ["default", "mail", "delivery", "feeds"]


def process_environment(relay_port: int) -> dict[str, str]:
    """Return the environment of a Daybreak process on this test's database, Redis and relay."""
    database = settings.DATABASES["default"]
    return os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['HOST']}/{database['NAME']}",
        "EMAIL_RELAYS": f"smtp://127.0.0.1:{relay_port}",
        "PYTHONWARNINGS": "default",
    }


class Worker:
    """A worker with one pool process, which serves all queues while it is awake."""

    def __init__(self, relay_port: int) -> None:
        env = process_environment(relay_port) | {
            "FETCH_ALLOW_HOSTS": "127.0.0.1,localhost",
            "WEBHOOK_ALLOW_HOSTS": "127.0.0.1",
        }
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1", "-n", NAME,
                   "-Q", ",".join(QUEUES), "--without-gossip", "--without-mingle"]  # fmt: skip
        self.process = subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)

    def responds(self) -> bool:
        assert self.process.poll() is None, "the Celery worker has ended"
        return bool(celery_app.control.ping([NAME], timeout=2, limit=1))

    def sleep(self) -> None:
        os.killpg(self.process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """Kill the worker: a shutdown would take seconds, and no task is worth finishing."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Serve one test.

        Between two tests the worker sleeps. Otherwise it would run the tasks of tests that check
        what happens without a worker. When it wakes, it drops the tasks that wait in the queues.
        Before it sleeps, it finishes its tasks: a mail that a test did not wait for would count in
        the next test.
        """
        self._empty_queues()
        os.killpg(self.process.pid, signal.SIGCONT)
        try:
            self.responds()
            # Redis may have handed it a task while it slept. The rows of that task are gone by now.
            self.finish()
            yield
            self.finish()
        except BaseException:
            # A worker that slept in the middle of a task would keep its locks and block every test.
            self.kill()
            raise
        self.sleep()

    def finish(self) -> None:
        """Wait until all that was enqueued is done."""
        wait_for(lambda: self._is_idle() and self._is_idle(), seconds=60, what="an idle worker")

    def _is_idle(self) -> bool:
        # A task is in a queue, then unacknowledged, and active before it is acknowledged.
        inspect = celery_app.control.inspect([NAME], timeout=2, limit=1)
        if inspect.active() != {NAME: []}:
            return False
        with Redis.from_url(settings.REDIS_URL) as redis:
            return not any(redis.llen(queue) for queue in QUEUES) and not redis.hlen("unacked")

    def _empty_queues(self) -> None:
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.delete(*QUEUES)


@contextmanager
def running(relay_port: int) -> Iterator[Worker]:
    """Run a worker, which sleeps until a test wakes it."""
    worker = Worker(relay_port)
    try:
        wait_for(worker.responds, seconds=60, what=NAME)
        worker.sleep()
        yield worker
    finally:
        worker.kill()


def kill_left_behind() -> None:
    """Kill the workers that an interrupted run left: a sleeping worker never ends by itself."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_ours = process.environ().get("DAYBREAK_VAR") == os.environ["DAYBREAK_VAR"]
            if is_ours and NAME in process.cmdline():
                process.kill()


@pytest.fixture(scope="session")
def _worker_process(django_db_setup: None, relay_server: RelayServer) -> Iterator[Worker]:
    with running(relay_server.port) as process:
        yield process


@pytest.fixture
def worker(transactional_db: None, _worker_process: Worker, relay: RelayServer) -> Iterator[None]:
    """A real Celery worker process on this test's database, Redis and relay."""
    with _worker_process.awake():
        relay.received.clear()
        yield
