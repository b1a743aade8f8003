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


# What this process received itself is its own affair: one child that is ended on its own must not
# stop the lanes of the others.
_received: list[int] = []


def ask(**_: Any) -> None:
    """Ask every lane of this worker to stop."""
    _asked[0] = 1


worker_shutting_down.connect(ask)


def is_asked() -> bool:
    return bool(_asked[0] or _received)


def forget() -> None:
    """Take the request back; a worker never does, as it ends."""
    _asked[0] = 0


@contextmanager
def sigterm_waits() -> Iterator[None]:
    """While inside, SIGTERM asks the lane to stop; the process gets it when the lane has ended.

    A supervisor may signal the whole process group, and a pool process would end at once with a
    window on the wire.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        _received.append(number)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if _received:
            _received.clear()
            os.kill(os.getpid(), signal.SIGTERM)
