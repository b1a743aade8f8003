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

# One byte that Celery's main process shares with the pool processes that it forks. SIGTERM reaches
# only the main process, and the lane runs in a child.
_stop_flag = mmap.mmap(-1, 1)
# A signal that this process received itself is not shared: a child that is ended on its own must
# not stop the lanes of the other children.
_received: list[int] = []


def request(**_: Any) -> None:
    """Ask every lane of this worker to stop."""
    _stop_flag[0] = 1


worker_shutting_down.connect(request)


def is_requested() -> bool:
    return bool(_stop_flag[0] or _received)


def reset_request_for_tests() -> None:
    """Withdraw the request. A worker never does this, because it ends."""
    _stop_flag[0] = 0


@contextmanager
def defer_sigterm() -> Iterator[None]:
    """Turn SIGTERM into a request to stop; the process gets the signal when the lane has ended.

    A supervisor may signal the whole process group. Without this, a pool process would end
    immediately, with a window on the wire.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def remember(number: int, frame: FrameType | None) -> None:
        _received.append(number)

    before = signal.signal(signal.SIGTERM, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if _received:
            _received.clear()
            os.kill(os.getpid(), signal.SIGTERM)
