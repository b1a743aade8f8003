"""Call a function in a process of its own, which ends when its time or its memory is used up."""

from __future__ import annotations

import logging
import math
import os
import pickle
import resource
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Seconds, of the clock and of a processor. A megabyte of hostile markup takes up to seven.
SECONDS = 15
# The same where nobody waits. Grouping 15,000 stories of hostile titles takes 11 of a fast
# processor, and three times that of a slow one.
SECONDS_WITHOUT_HURRY = 120
MEMORY_BYTES = 1024**3
_ROOT = Path(__file__).resolve().parents[2]
# What a reader of outside text has no use for, such as keys and passwords, it does not get.
_KEPT = ("PATH", "LANG", "LC_", "PYTHON", "LD_", "TMPDIR", "TZ")

# Each thread of numpy's would take its part of the memory, whether it does anything or not.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class UsedUp(Exception):
    """The function came to no end within its limits; the message says so in plain words."""


def call(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what the function returns, or raise what it raises.

    A thread of the web server cannot be interrupted, and one regular expression or one library
    that takes a minute for a page would keep Python from all others. `function` is a function of a
    module that needs no Django; its arguments and its result can be pickled.

    Raises:
        UsedUp: it needs more than SECONDS or MEMORY_BYTES.
    """
    return _call(partial(function, *args, **kwargs), SECONDS)


def call_without_hurry(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do as `call` for a task, which may take longer: SECONDS_WITHOUT_HURRY."""
    return _call(partial(function, *args, **kwargs), SECONDS_WITHOUT_HURRY)


def _call(work: Callable[[], T], seconds: float) -> T:
    try:
        done = subprocess.run(  # noqa: S603 (this module itself)
            [sys.executable, "-m", __name__, str(math.ceil(seconds))],
            input=pickle.dumps(work),
            capture_output=True,
            timeout=seconds,
            cwd=_ROOT,
            env=_ONE_THREAD
            | {name: value for name, value in os.environ.items() if name.startswith(_KEPT)},
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise UsedUp(f"Reading it takes more than {seconds} seconds.") from error
    except subprocess.CalledProcessError as error:
        logger.warning("A reader ended with %s: %s", error.returncode, error.stderr[-2000:])
        gigabytes = MEMORY_BYTES / 1024**3
        raise UsedUp(
            f"Reading it takes more than {seconds} seconds or {gigabytes:g} GB of memory."
        ) from error
    has_returned, result = pickle.loads(done.stdout)  # noqa: S301 (we have just written it)
    if not has_returned:
        raise result
    return result  # type: ignore[no-any-return]


def _serve(seconds: int) -> None:
    """Read the call from standard input, and write what came of it to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # It also ends if nobody is left to stop it.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answer:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library may print
        work = pickle.load(sys.stdin.buffer)  # noqa: S301 (`call` wrote it)
        answer.write(pickle.dumps(_outcome(work)))


def _outcome(work: Callable[[], T]) -> tuple[bool, T | Exception]:
    try:
        return True, work()
    except MemoryError:
        raise
    except Exception as error:
        error.add_note(traceback.format_exc())
        return False, error


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
