"""Let lanes run at a lower scheduling priority than work that a person waits for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings


@contextmanager
def batch_scheduling() -> Iterator[None]:
    """Run this thread so that it does not interrupt other processes on the same host.

    A lane wakes with every answer of the relay, about a thousand times a second. Each time the
    kernel would interrupt PostgreSQL, a web process or the relay itself for it. Under Linux's
    SCHED_BATCH the lane waits until their time slice ends. A message also costs less processor
    time, because caches stay warm (docs/delivery.md, Figures).
    """
    is_wanted = settings.LANE_SCHED_BATCH and sys.platform == "linux"
    is_changed = is_wanted and _change(os.SCHED_OTHER, os.SCHED_BATCH)
    try:
        yield
    finally:
        if is_changed:
            _change(os.SCHED_BATCH, os.SCHED_OTHER)


def _change(before: int, after: int) -> bool:
    """Change the policy if it is `before`, and return True; any other is the operator's choice."""
    # A sandbox may forbid reading or changing the policy. Alpine's C library supports neither.
    with suppress(OSError):
        if os.sched_getscheduler(0) == before:
            os.sched_setscheduler(0, after, os.sched_param(0))
            return True
    return False
