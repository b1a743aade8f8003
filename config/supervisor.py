"""Run the web server, the workers, the clock and the mailbox as one, and end them as one."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException

import honcho.manager
from honcho.compat import ProcessManager

from config.var import ROOT

# Lanes may take 10 s to hand back what they have claimed (docs/architecture.md, promise 5).
honcho.manager.KILL_WAIT = 15


class _MainProcessOnly(ProcessManager):  # type: ignore[misc]
    """Celery's pool dies of a SIGTERM in mid-task; its main process drains it."""

    def terminate(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class Supervisor(honcho.manager.Manager):  # type: ignore[misc]
    """honcho's manager, with news of when the site answers."""

    def __init__(self, *, is_ready: Callable[[], bool], announce: Callable[[], None]) -> None:
        super().__init__()
        self._procmgr = _MainProcessOnly()
        self._is_ready = is_ready
        self._announce = announce

    def add(self, name: str, *command: str, env: Mapping[str, str], wait: int = 0) -> None:
        """Add a program that begins after `wait` seconds."""
        # exec: the signal must reach the program, not a shell around it.
        line = f"sleep {wait}; exec {shlex.join(command)}"
        self.add_process(name, line, env=dict(env), cwd=str(ROOT))

    def run(self) -> int:
        """Run until a signal or until one of them ends; the exit status is 0 only for a signal."""
        signal.signal(signal.SIGHUP, _hang_up)
        try:
            self.loop()
        finally:
            self._end_groups()
        asked = {signals["rc"] for signals in honcho.manager.SIGNALS.values()}
        return 0 if self.returncode in asked else int(self.returncode or 1)

    def terminate(self) -> None:
        if self._all_started():
            super().terminate()
        else:  # a signal in the first moments: honcho does not know every pid yet
            threading.Timer(0.1, self.terminate).start()

    def _start(self) -> None:
        super()._start()
        # After the forks: a fork of a program with threads may deadlock.
        threading.Thread(target=self._announce_when_ready, daemon=True).start()

    def _announce_when_ready(self) -> None:
        while not self._terminating:
            if self._is_ready():
                self._announce()
                return
            time.sleep(0.1)

    def _end_groups(self) -> None:
        """Whatever way the loop ended, leave no process behind."""
        for process in self._processes.values():
            with contextlib.suppress(KeyError, ProcessLookupError, PermissionError):
                os.killpg(process["pid"], signal.SIGKILL)


def _hang_up(*_: object) -> None:
    """The terminal is gone: stop in order, and say so to nobody."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    os.kill(os.getpid(), signal.SIGTERM)


# --- Ports ----------------------------------------------------------------------------------------


def port_is_free(port: int) -> bool:
    """Whether nobody listens there, on either family, and we may."""
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def site_answers(port: int) -> bool:
    """Whether the web server answers a request with anything but its own failure."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
