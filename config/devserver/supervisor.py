"""Run the web server, the workers, beat and the mailbox as one, and end them as one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any

import honcho.manager
from honcho.compat import ProcessManager
from honcho.process import Popen, Process

from config.paths import ROOT

# Lanes may take 10 s to release the rows they have claimed (docs/delivery.md).
honcho.manager.KILL_WAIT = 15
# linux/prctl.h
_PR_SET_PDEATHSIG = 1


class _MainProcessOnly(ProcessManager):  # type: ignore[misc]
    """Sends SIGTERM to a main process alone.

    Celery's pool processes would die of it in mid-task; the main process lets them finish.
    """

    def terminate(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class _ChildProcess(Process):  # type: ignore[misc]
    """Ends soon after the supervisor, even if that was killed; only Linux can do this.

    Between the two is a process of honcho, which ignores SIGTERM.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._child_ctor = partial(Popen, preexec_fn=partial(_end_with_parent, signal.SIGTERM))

    def run(self, *args: Any, **kwargs: Any) -> None:
        _end_with_parent(signal.SIGKILL)
        super().run(*args, **kwargs)


def _end_with_parent(signum: int) -> None:
    """Have the kernel send this process the signal when its parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signum)


class Supervisor(honcho.manager.Manager):  # type: ignore[misc]
    """honcho's manager, which also announces that the site answers."""

    def __init__(self, *, is_ready: Callable[[], bool], announce: Callable[[], None]) -> None:
        super().__init__()
        self._procmgr = _MainProcessOnly()
        self._process_ctor = _ChildProcess
        self._is_ready = is_ready
        self._announce = announce

    def add(self, name: str, *command: str, env: Mapping[str, str], delay: int = 0) -> None:
        """Add a program that starts after `delay` seconds."""
        # exec: the signal must reach the program, not a shell around it.
        shell_command = f"sleep {delay}; exec {shlex.join(command)}"
        self.add_process(name, shell_command, env=dict(env), cwd=str(ROOT))

    def run(self) -> int:
        """Run until a signal or until one process ends; the exit status is 0 only for a signal."""
        signal.signal(signal.SIGHUP, _hang_up)
        try:
            self.loop()
        finally:
            self._end_groups()
        by_signal = {signals["rc"] for signals in honcho.manager.SIGNALS.values()}
        return 0 if self.returncode in by_signal else int(self.returncode or 1)

    def terminate(self) -> None:
        if self._all_started():
            super().terminate()
        else:  # a signal in the first moments: honcho does not know every pid yet
            threading.Timer(0.1, self.terminate).start()

    def _start(self) -> None:
        super()._start()
        # The thread starts after the forks: a fork of a program with threads may deadlock.
        threading.Thread(target=self._announce_when_ready, daemon=True).start()

    def _announce_when_ready(self) -> None:
        while not self._terminating:
            if self._is_ready():
                self._announce()
                return
            time.sleep(0.1)

    def _end_groups(self) -> None:
        """Kill every process that is left, however the loop ended."""
        for process in self._processes.values():
            with contextlib.suppress(KeyError, ProcessLookupError, PermissionError):
                os.killpg(process["pid"], signal.SIGKILL)


def _hang_up(*_: object) -> None:
    """Stop all processes when the terminal is gone; from now on all output is discarded."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(devnull, stream.fileno())
    os.kill(os.getpid(), signal.SIGTERM)


# --- Ports ----------------------------------------------------------------------------------------


def port_is_free(port: int) -> bool:
    """Tell whether nobody listens on the port (IPv4 or IPv6), and this process may listen on it."""
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
    """Tell whether the web server answers a request, and not with a status of 500 or more."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
