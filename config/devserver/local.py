"""Provide PostgreSQL, Redis and a mailbox in var/ on a machine that has none configured."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ

from config.devserver import local_postgres, local_redis
from config.devserver.sockets import ServiceError
from config.paths import VAR

MAILBOX = VAR / "mailbox"
DEFAULT_PORT = 8000


# --- What settings.py uses ------------------------------------------------------------------------


def is_configured() -> bool:
    """Tell whether this looks like a deployment, where DEBUG is off unless somebody sets it."""
    return bool(os.environ.get("DATABASE_URL") or os.environ.get("SECRET_KEY"))


def is_development() -> bool:
    """Tell whether DEBUG is on, for code that runs before the settings are loaded.

    Without DEBUG no embedded service is used.
    """
    return bool(environ.Env().bool("DEBUG", default=False))


def site_url() -> str:
    """Return the site's URL of the last `manage.py start`, so other shells make the same links."""
    return f"http://localhost:{last_run().get('port', DEFAULT_PORT)}"


def mailbox_relay_url() -> str:
    """Return the URL of the relay of the last `manage.py start`: its mailbox."""
    return f"smtp://127.0.0.1:{last_run().get('smtp_port', DEFAULT_PORT + 25)}"


def database_settings() -> dict[str, str]:
    """Return Django's settings for the embedded PostgreSQL."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": local_postgres.DATABASE_NAME,
        "USER": local_postgres.USER,
        "HOST": str(local_postgres.socket_file().parent),
    }


def redis_socket() -> Path:
    return local_redis.socket_file()


def redis_url() -> str:
    return f"unix://{redis_socket()}?db=0"


def celery_broker_url(redis_url: str) -> str:
    """Return the URL as kombu needs it.

    kombu writes a Unix socket `redis+socket://…?virtual_host=0`, redis-py `unix://…?db=0`.
    """
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")


# --- The run of `manage.py start` -----------------------------------------------------------------


def last_run() -> dict[str, int]:
    """Return pid, port and SMTP port of the last `manage.py start`; empty before the first."""
    try:
        return dict(json.loads((VAR / "run.json").read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def is_running() -> bool:
    """Tell whether a `manage.py start` runs here: it holds a lock, which a crash releases."""
    try:
        with (VAR / "run.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


@contextmanager
def hold_run_lock(*, port: int, smtp_port: int) -> Iterator[None]:
    """Hold the lock of this folder's only `manage.py start`; store its ports for other shells."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(
                f"Daybreak is already running here, at {site_url()}; stop it with: make stop"
            ) from None
        run = {"pid": os.getpid(), "port": port, "smtp_port": smtp_port}
        new_file = VAR / "run.json.new"
        new_file.write_text(json.dumps(run))
        new_file.replace(VAR / "run.json")
        yield


# --- Starting and stopping the services -----------------------------------------------------------


def command_needs_services(argv: list[str]) -> bool:
    """Tell whether a management command may touch the database; help never does.

    `start` looks at the ports before it starts anything, and `stop` starts nothing.
    """
    return (
        len(argv) > 1
        and argv[1] not in {"help", "--help", "-h", "version", "--version", "start", "stop"}
        and not ({"--help", "-h"} & set(argv[2:]))
    )


def ensure_services() -> None:
    """Start the embedded PostgreSQL and Redis unless they run or others are configured.

    They are left running for the next command; `stop_services` ends them.

    Raises:
        ServiceError: one line that says what does not work here.
    """
    services = []
    if not os.environ.get("DATABASE_URL"):
        services.append(local_postgres)
    if not os.environ.get("REDIS_URL"):
        services.append(local_redis)
    if services:
        with _services_lock():
            for service in services:
                service.ensure_running()


def stop_services() -> None:
    """Stop whatever `ensure_services` started."""
    if VAR.exists():
        with _services_lock():
            local_redis.stop_if_running()
            local_postgres.stop_if_running()


@contextmanager
def _services_lock() -> Iterator[None]:
    """Hold the lock that keeps two simultaneous commands from both running initdb."""
    try:
        VAR.mkdir(parents=True, exist_ok=True)
        with (VAR / "services.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise ServiceError(f"Cannot use {VAR}: {error}") from error
