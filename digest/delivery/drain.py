"""Tell a lane that its worker wants to stop."""

from __future__ import annotations

import mmap
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from celery.signals import worker_shutting_down

# One byte that Celery's main process shares with the pool processes it forks: SIGTERM reaches the
# main process alone, and the lane runs in a child.
_asked = mmap.mmap(-1, 1)


def ask(**_: Any) -> None:
    """Ask every lane of this worker to stop."""
    _asked[0] = 1


worker_shutting_down.connect(ask)


def is_asked() -> bool:
    return _asked[0] != 0


def forget() -> None:
    """Take the request back; a worker never does, as it ends."""
    _asked[0] = 0


@contextmanager
def sigterm_waits() -> Iterator[None]:
    """While inside, SIGTERM asks the lane to stop instead of killing the process.

    A supervisor may signal the whole process group, and pool processes would die at once with a
    window on the wire. Whoever had the signal before gets it after all.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        ask()
        if callable(before):
            before(number, frame)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if received and before is signal.SIG_DFL:
            os.kill(os.getpid(), signal.SIGTERM)
