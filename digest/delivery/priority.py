"""Let a send give way to what somebody waits for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings


@contextmanager
def giving_way() -> Iterator[None]:
    """While inside, this thread interrupts nobody who is at work on the same host.

    A lane wakes with every answer of the relay, some thousand times a second, and each time the
    kernel would stop PostgreSQL, a web process or the relay itself in mid-work for it. Under
    Linux's SCHED_BATCH it waits for their turn to end, and a message costs less of the processor,
    for caches stay warm (docs/delivery.md, Figures).
    """
    may = settings.LANES_GIVE_WAY and sys.platform == "linux"
    gives_way = may and _change(os.SCHED_OTHER, os.SCHED_BATCH)
    try:
        yield
    finally:
        if gives_way:
            _change(os.SCHED_BATCH, os.SCHED_OTHER)


def _change(before: int, after: int) -> bool:
    """Whether it was done; another policy than `before` is the operator's own, and stays."""
    # A sandbox may forbid to ask or to change, and Alpine's C library knows neither.
    with suppress(OSError):
        if os.sched_getscheduler(0) == before:
            os.sched_setscheduler(0, after, os.sched_param(0))
            return True
    return False
