"""A whole Daybreak deployment for tests, every part of which may be killed."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from django.apps import apps
from django.db import OperationalError, connection, connections

from tests.servers.sink import Taken
from tests.support import shell
from tests.support.database import enforce_moves
from tests.support.paths import ROOT
from tests.support.waiting import wait_for

logger = logging.getLogger("faults")
CONFIGURED = ("DATABASE_URL", "REDIS_URL", "PYTEST_XDIST_WORKER")
# The product's waits, shortened, in seconds: the tests gain nothing from waiting longer.
SHORT_WAITS = {
    "digest.delivery.lane.lane": {"LANE_SECONDS": 5.0},
    "digest.delivery.lane.outbox": {"FIRST_RETRY": 2.0},
    "digest.delivery.lane.recover": {"GRACE": 3.0},
    "digest.delivery.pacing.circuit_breaker": {
        "FIRST_OPEN_SECONDS": 1.0,
        "MAX_OPEN_SECONDS": 2.0,
        "PROBE_SECONDS": 3.0,
    },
}


class SinkProcess:
    """The counting SMTP server, and the connection over which it takes orders."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.sink"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        ports = json.loads(self.process.stdout.readline())
        self.port: int = ports["smtp"]
        self._socket = socket.create_connection(("127.0.0.1", ports["control"]), timeout=30)
        self._wire = self._socket.makefile("rw")

    def stop(self) -> None:
        self._wire.close()
        self._socket.close()
        self.process.communicate(timeout=10)

    def _order(self, order: str, **details: Any) -> Any:
        self._wire.write(json.dumps({"order": order} | details) + "\n")
        self._wire.flush()
        return json.loads(self._wire.readline())

    def behave(self, *rules: dict[str, Any], **orders: Any) -> None:
        """From now on behave as `sink.Orders` and `sink.FaultRule` say, else by the defaults."""
        self._order("behave", rules=rules, **orders)

    def reset(self) -> None:
        """Forget all messages and rules, and work without faults."""
        self._order("reset")

    def down(self) -> None:
        """Stop listening, and close all connections."""
        self._order("down")

    def up(self) -> None:
        self._order("up")

    @property
    def count(self) -> int:
        """How many messages arrived."""
        return int(self._order("count"))

    @property
    def counts(self) -> dict[str, int]:
        return dict(self._order("counts"))

    @property
    def taken(self) -> list[Taken]:
        return [Taken(**fields) for fields in self._order("taken")]

    def wait_for(self, count: int) -> None:
        wait_for(lambda: self.count >= count, seconds=60, what=f"{count} messages at the sink")


class Deployment:
    """One folder with a PostgreSQL and a Redis, and the processes that work on them."""

    def __init__(self, var: Path, sink: SinkProcess) -> None:
        self.var, self.sink = var, sink
        self.workers: list[subprocess.Popen[bytes]] = []
        self.clocks: list[subprocess.Popen[bytes]] = []
        self.started = 0

    # --- Servers ----------------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in CONFIGURED}
        return kept | {
            "DAYBREAK_VAR": str(self.var),
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "EMAIL_RELAYS": f"smtp://127.0.0.1:{self.sink.port}?connections=4",
            "PYTHONWARNINGS": "default",
        }

    def _evaluate(self, expression: str) -> str:
        """Return the value of an expression about this folder's `config.devserver`."""
        names = "local, local_postgres, local_redis"
        script = f"from config.devserver import {names}; print({expression})"
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=self.environment,
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def start_services(self) -> None:
        self._evaluate("local.ensure_services()")

    def set_up(self) -> None:
        """Start the servers, with a fully migrated and empty database."""
        self.var.mkdir(parents=True, exist_ok=True)
        # A run that was killed leaves its workers behind.
        for process in shell.processes(self.var):
            process.kill()
            process.wait(10)
        self.start_services()
        self.postgres_socket, self.redis_socket = json.loads(
            self._evaluate("local.json.dumps([str(local_postgres.socket_file().parent), "
                           "str(local_redis.socket_file())])")
        )  # fmt: skip
        with self.database(name="postgres"), connection.cursor() as cursor:
            # The data has to survive the death of processes, and no power cut.
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("SELECT pg_reload_conf()")
            cursor.execute("DROP DATABASE IF EXISTS daybreak WITH (FORCE)")
            cursor.execute("CREATE DATABASE daybreak")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"],
            cwd=ROOT, env=self.environment, check=True,
        )  # fmt: skip
        with self.database():
            enforce_moves()

    def tear_down(self) -> None:
        self.stop_workers()
        for clock in list(self.clocks):
            self.stop_clock(clock)
        self._evaluate("local.stop_services()")

    @contextmanager
    def database(self, *, name: str = "daybreak") -> Iterator[None]:
        """Inside the block, Django in this process works on the deployment's database."""
        connections.close_all()
        # The connections of all threads share this dictionary.
        database_settings = connection.settings_dict
        before = dict(database_settings)
        database_settings.update(HOST=self.postgres_socket, NAME=name, USER="postgres")
        try:
            yield
        finally:
            connections.close_all()
            database_settings.update(before)

    def empty(self) -> None:
        """Empty all tables, as in a new installation."""
        tables = [
            connection.ops.quote_name(model._meta.db_table)
            for label in ("digest", "subscribers")
            for model in apps.get_app_config(label).get_models()
        ]
        with connection.cursor() as cursor:
            # This role switches off triggers: that of the consent ledger refuses to empty it.
            cursor.execute("SET session_replication_role = replica")
            empty = f"TRUNCATE {', '.join(tables)} CASCADE"
            try:
                cursor.execute(empty)
            except OperationalError:
                # The clock locked the same tables in another order.
                cursor.execute(empty)
            cursor.execute("SET session_replication_role = DEFAULT")

    def kill_redis(self) -> None:
        psutil.Process(int((self.var / "redis" / "pid").read_text())).kill()

    def stop_postgres(self, how: signal.Signals) -> None:
        """Stop PostgreSQL; pg_ctl calls SIGQUIT immediate and SIGINT fast."""
        pid = int((self.var / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        postmaster = psutil.Process(pid)
        postmaster.send_signal(how)
        postmaster.wait(30)
        connection.close()

    # --- Processes --------------------------------------------------------------------------------

    def start_worker(
        self, *, processes: int = 3, **short_waits: dict[str, float]
    ) -> subprocess.Popen[bytes]:
        """Start Celery with this many pool processes.

        `short_waits` adds to SHORT_WAITS; a dot is written `__`.
        """
        worker = self._celery(
            "worker", "-l", "INFO", "-c", str(processes), "-Q", "default,mail,delivery,feeds",
            "--without-gossip", "--without-mingle", "-n", f"w{self.started}@faults",
            until=b" ready.",
            short_waits=SHORT_WAITS
            | {name.replace("__", "."): waits for name, waits in short_waits.items()},
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def start_clock(self) -> subprocess.Popen[bytes]:
        clock = self._celery("beat", "--pidfile=", until=b"")
        self.clocks.append(clock)
        return clock

    def stop_clock(self, clock: subprocess.Popen[bytes]) -> None:
        self.clocks.remove(clock)
        clock.kill()
        clock.wait(10)

    def _celery(
        self, *command: str, until: bytes, short_waits: Any = None
    ) -> subprocess.Popen[bytes]:
        log = self.var / f"celery-{self.started}.log"
        self.started += 1
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "--quiet", "-A", "config", *command],
                cwd=ROOT, stdout=out, stderr=out, start_new_session=True,
                env=self.environment | {"FAULT_SHORT_WAITS": json.dumps(short_waits or {})},
            )  # fmt: skip

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            return until in log.read_bytes()

        wait_for(is_ready, seconds=90, what=f"{command[0]}, see {log}")
        return process

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        """Kill it with all its pool processes, as the kernel or a lost machine would."""
        self.workers.remove(worker)
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(30)

    def kill_pool_process(self, worker: subprocess.Popen[bytes], rng: random.Random) -> None:
        """Kill one pool process, which Celery replaces."""
        processes = psutil.Process(worker.pid).children()
        rng.choice(processes).kill()

    def stop_workers(self) -> None:
        for worker in list(self.workers):
            self.kill_worker(worker)
