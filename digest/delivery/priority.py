"""Let a send give way to what somebody waits for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def giving_way() -> Iterator[None]:
    """While inside, this thread interrupts nobody who is at work on the same host.

    A lane wakes with every answer of the relay, some thousand times a second, and each time the
    kernel would stop PostgreSQL, a web process or the relay itself in mid-work for it. Under
    Linux's SCHED_BATCH it waits for their turn to end, and has its share of the processor all the
    same: the message costs a sixth less, for caches stay warm (bench-scale, four lanes, two cores).
    """
    if sys.platform != "linux" or os.sched_getscheduler(0) != os.SCHED_OTHER:
        # Another policy is the operator's choice.
        yield
        return
    _use(os.SCHED_BATCH)
    try:
        yield
    finally:
        _use(os.SCHED_OTHER)


def _use(policy: int) -> None:
    # A sandbox may forbid it: then all is as it was.
    with suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(0))
