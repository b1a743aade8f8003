"""Write an export to a temporary file, so that it is served whole or not at all."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from tempfile import TemporaryFile
from typing import IO

from django.db import Error, connection

logger = logging.getLogger(__name__)

# Seconds for which an export may be written: a little less than nginx waits for it
# (config/deploy/nginx.conf). Ten million readers take about half of them.
SECONDS = 540.0


class ExportFailed(Exception):
    """The export is not whole, so nothing of it is served; the message says why."""


def write_whole(pieces: Iterable[bytes], *, seconds: float = SECONDS) -> IO[bytes]:
    """Return an open file with all the pieces, at its beginning; closing it deletes it.

    A broken download may look like a complete one: not every client misses the last chunk of a
    streamed answer. Of a file the length is known before its first byte is sent.

    Raises:
        ExportFailed: the database or the disk failed, or it takes longer than `seconds`.
    """
    with ExitStack() as stack:
        try:
            file = TemporaryFile()  # noqa: SIM115 (who serves it closes it)
            stack.callback(_discard, file)
            _write(file, pieces, seconds=seconds)
        except (Error, OSError) as error:
            logger.exception("An export failed")
            if not connection.in_atomic_block:  # a broken one would spoil the page that says so
                connection.close_if_unusable_or_obsolete()
            what = "The database" if isinstance(error, Error) else "The disk"
            raise ExportFailed(f"{what} failed before the export was complete.") from error
        stack.pop_all()
    return file


def _discard(file: IO[bytes]) -> None:
    with suppress(OSError):  # closing writes what is still in memory, and the disk may be full
        file.close()


def _write(file: IO[bytes], pieces: Iterable[bytes], *, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    for piece in pieces:
        if time.monotonic() > ends_at:
            raise ExportFailed(
                f"The export takes longer than {seconds / 60:.0f} minutes. The command "
                "export_subscribers has no such limit."
            )
        file.write(piece)
    file.seek(0)
