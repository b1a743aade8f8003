"""End a command with one plain line where something around it failed, and not with a traceback."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, ProgrammingError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from config.devserver.sockets import ServiceError

# What a shell reports of a program that was ended by SIGINT or SIGPIPE.
INTERRUPTED, BROKEN_PIPE = 130, 141
# PostgreSQL's codes for a table and a column that do not exist.
_NOT_MIGRATED = {"42P01", "42703"}


@contextmanager
def plain_errors(argv: list[str]) -> Iterator[None]:
    """Run a command; with --traceback in `argv` its errors are raised as they are.

    Errors of our own code keep their traceback in any case.

    Raises:
        SystemExit: with one line for standard error.
    """
    try:
        yield
        _flush(sys.stdout)
    except KeyboardInterrupt:
        _say("Interrupted.")
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _has_no_reader(sys.stdout):
            # Whoever read our output, such as `head`, has enough of it.
            _discard(sys.stdout)
            raise SystemExit(BROKEN_PIPE) from None
        line = "" if "--traceback" in argv else explain(error)
        if not line:
            raise
        _say(line)
        raise SystemExit(1) from None


def explain(error: Exception) -> str:
    """Return what failed around the command, in one line; "" for an error of our own code."""
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    match error:
        case ImproperlyConfigured() | ServiceError():
            return str(error)
        case OperationalError() | InterfaceError() if _sqlstate(error):
            return f"The database refused: {reason}"
        case OperationalError() | InterfaceError():
            return f"The database does not answer: {reason}"
        case ProgrammingError() if _sqlstate(error) in _NOT_MIGRATED:
            return f"The database is not up to date; run manage.py migrate. ({reason})"
        case RedisError() | BrokerError():
            return f"Redis does not answer: {reason}"
        case EOFError():
            return "It asks a question, and nobody can answer here. Look for --no-input in --help."
        case UnicodeEncodeError():
            return f"The output cannot hold every character ({reason}). Set PYTHONIOENCODING=utf-8."
        case OSError() if error.strerror:
            return f"{error.filename or 'Reading or writing failed'}: {error.strerror}."
    return ""


def _sqlstate(error: Exception) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def _say(line: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"Error: {line}\n")


def _flush(stream: TextIO | None) -> None:
    if stream is not None:
        stream.flush()


def _has_no_reader(stream: TextIO | None) -> bool:
    try:
        pipe = select.poll()
        pipe.register(stream.fileno() if stream else -1, 0)
        return any(event & select.POLLERR for _, event in pipe.poll(0))
    except (OSError, ValueError):  # it is no file of the system
        return False


def _discard(stream: TextIO) -> None:
    """Let what is left go nowhere: Python writes it once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
