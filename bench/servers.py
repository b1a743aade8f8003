"""Run what a bench measures against: database, Redis, relays and workers of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var" / "bench"


def program(name: str) -> str:
    """Return the path of one of Postfix's programs, or exit and say how to install it."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec/postfix"])
    if found := shutil.which(name, path=places):
        return found
    raise SystemExit(
        f"This bench needs {name}, which comes with Postfix. Debian and Ubuntu:\n"
        "  DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends postfix"
    )


# --- Database and Redis ---------------------------------------------------------------------------


@contextmanager
def production_services(*relays: str) -> Iterator[None]:
    """Set Django up as in production, on a fresh PostgreSQL and Redis in var/bench."""
    os.environ["DAYBREAK_VAR"] = str(VAR)
    from config.devserver import local  # this reads .env, so what it may have set is removed again

    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    local.stop_services()
    shutil.rmtree(VAR, ignore_errors=True)
    try:
        local.ensure_services()
        os.environ.update(
            _production_environment(local.database_settings(), local.redis_url(), relays)
        )
        import django
        from django.conf import settings
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        settings.STATIC_ROOT.mkdir(exist_ok=True)  # whitenoise warns if it is missing
        yield
    finally:
        local.stop_services()
        shutil.rmtree(VAR, ignore_errors=True)


def _production_environment(
    database: dict[str, str], redis_url: str, relays: tuple[str, ...]
) -> dict[str, str]:
    """Return the environment. DEBUG is off: with it Django keeps every query in memory."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "false",
        "SECRET_KEY": "only-for-the-bench-and-yet-longer-than-fifty-characters",
        "SITE_URL": "https://news.example.com",
        "MAIL_DOMAIN": "news.example.com",
        "POSTAL_ADDRESS": "Example News, 1 Example Street, Exampleton",
        # A URL with a socket's path has no room for the user, so libpq's own variable names it.
        "DATABASE_URL": f"postgres:///{database['HOST']}/{database['NAME']}",
        "PGUSER": database["USER"],
        "REDIS_URL": redis_url,
        "EMAIL_RELAYS": ",".join(relays),
    }


# --- Relays ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sink:
    """Postfix's smtp-sink: takes every message and keeps none."""

    port: int
    process: psutil.Process
    counters: Path

    def counted(self) -> int:
        """Return how many messages the sink has taken, by its own count."""
        with self.counters.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 200))
            lines = [line for line in file.read().split(b"\r") if b"mesg=" in line]
        return int(lines[-1].split(b"mesg=")[1]) if lines else 0


@contextmanager
def smtp_sink() -> Iterator[Sink]:
    port = free_port()
    command = [program("smtp-sink"), "-c"]
    if os.geteuid() == 0:
        command += ["-u", "nobody"]
    with tempfile.NamedTemporaryFile() as counters:
        running = subprocess.Popen([*command, f"127.0.0.1:{port}", "1000"], stdout=counters)
        try:
            wait_for_port(port)
            yield Sink(port, psutil.Process(running.pid), Path(counters.name))
        finally:
            running.terminate()
            running.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_for_port(port: int, seconds: float = 20) -> None:
    def answers() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
                return bool(client.recv(1))
        except OSError:
            return False

    wait_until(answers, seconds, f"nothing answers at port {port}")


def wait_until(
    condition: Callable[[], bool], seconds: float, error: str, every: float = 0.1
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(error)
        time.sleep(every)


# --- Workers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool:
    """A Celery worker and the processes in which it runs tasks."""

    parent: psutil.Process
    processes: list[psutil.Process]


@contextmanager
def workers(queue: str, *, processes: int, **environment: str) -> Iterator[Pool]:
    """Run a Celery worker as `manage.py start` does."""
    command = [
        sys.executable, "-m", "celery", "--quiet", "-A", "config", "worker", "-Q", queue,
        "-c", str(processes), "-n", f"bench-{queue}@%h", "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    quiet = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser"}
    running = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | quiet | environment, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(
            lambda: _answers(f"bench-{queue}"), 60, "the Celery worker does not start", every=0
        )
        parent = psutil.Process(running.pid)
        yield Pool(parent, parent.children())
    finally:
        running.terminate()
        running.wait()


def _answers(name: str) -> bool:
    from config.celery import app

    return any(name in answer for found in app.control.ping(timeout=0.5) for answer in found)


# --- CPU time and memory --------------------------------------------------------------------------


@dataclass(frozen=True)
class Usage:
    """CPU seconds by kind of process."""

    seconds: dict[str, float]

    def since(self, earlier: Usage) -> dict[str, float]:
        return {name: now - earlier.seconds.get(name, 0) for name, now in self.seconds.items()}


def usage(**roots: psutil.Process) -> Usage:
    """Return the CPU time of each root process and its children, including those that ended."""
    return Usage({name: _cpu(root) for name, root in roots.items()})


def _cpu(root: psutil.Process) -> float:
    total = 0.0
    with ExitStack() as stack:
        for process in [root, *root.children(recursive=True)]:
            try:
                stack.enter_context(process.oneshot())
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
    return total


def postgres() -> psutil.Process:
    return psutil.Process(int((VAR / "postgres" / "postmaster.pid").read_text().split()[0]))


def redis() -> psutil.Process:
    return psutil.Process(int((VAR / "redis" / "pid").read_text()))


def peak_mb(process: psutil.Process) -> float:
    """Return the peak of resident memory, shared pages included."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("VmHWM is Linux's")


def reset_peak() -> None:
    """Reset this process's peak (Linux, proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def private_mb(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss) / 2**20
