"""A Celery worker process that serves one test after the other, and is idle between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from redis import Redis

from config import celery_app
from tests.waiting import ROOT, wait_for

NAME = "tests@localhost"
QUEUES = ["default", "mail", "delivery", "feeds"]
_running: list[subprocess.Popen[bytes]] = []


def process_environment(relay_port: int) -> dict[str, str]:
    """For a process of Daybreak on this test's database and Redis, with a relay on that port."""
    database = settings.DATABASES["default"]
    return os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['HOST']}/{database['NAME']}",
        "EMAIL_RELAYS": f"smtp://127.0.0.1:{relay_port}",
        "PYTHONWARNINGS": "default",
    }


@contextmanager
def running(relay_port: int) -> Iterator[None]:
    """Inside, a worker of one process works off all queues."""
    env = process_environment(relay_port) | {
        "FETCH_ALLOW_HOSTS": "127.0.0.1,localhost",
        "WEBHOOK_ALLOW_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1", "-n", NAME,
               "-Q", ",".join(QUEUES), "--without-gossip", "--without-mingle"]  # fmt: skip
    with subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True) as process:
        try:
            wait_for(lambda: celery_app.control.ping([NAME], timeout=2, limit=1), seconds=60, what=NAME)
            _running.append(process)
            yield
        finally:
            _running.clear()
            # Nothing is worth finishing: a warm shutdown takes seconds.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def finish() -> None:
    """Wait until the worker, if one runs, has done all that was enqueued.

    A test may end before the tasks that it caused, and their mails would count in the next one.
    """
    if _running:
        wait_for(lambda: _is_idle() and _is_idle(), what="an idle worker")


def _is_idle() -> bool:
    # A task is in a queue, then unacknowledged, and active before it is acknowledged.
    with Redis.from_url(settings.REDIS_URL) as redis:
        if any(redis.llen(queue) for queue in QUEUES) or redis.hlen("unacked"):
            return False
    inspect = celery_app.control.inspect([NAME], timeout=2, limit=1)
    return inspect.active() == {NAME: []}
