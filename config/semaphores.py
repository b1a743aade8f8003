"""Say in plain words that processes cannot share semaphores here, which the workers need.

`sem_open` makes a semaphore as a file in /dev/shm. Celery's workers and the supervisor of
`make run` use it by the `multiprocessing` of Python, which ends in a bare traceback.
"""

from __future__ import annotations

import multiprocessing
import sys
from typing import Any

from config.checks import EXIT_STATUS

REMEDY = (
    "Mount a writable folder with room there: docker run --tmpfs /dev/shm:rw,mode=1777, "
    "or as root mount -t tmpfs -o mode=1777 tmpfs /dev/shm"
)


class NoSemaphores(Exception):
    """Processes cannot share semaphores here; the message says why and what to do."""


def require_semaphores() -> None:
    """Make one semaphore and drop it.

    Raises:
        NoSemaphores: it cannot be made.
    """
    try:
        multiprocessing.Lock()
    except (OSError, ImportError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NoSemaphores(
            f"The workers cannot make semaphores in /dev/shm: {reason}. {REMEDY}"
        ) from error


def refuse_start_without_semaphores(**_: Any) -> None:
    """Print why and end this worker, before its pool of processes fails with a traceback."""
    try:
        require_semaphores()
    except NoSemaphores as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(EXIT_STATUS) from None
