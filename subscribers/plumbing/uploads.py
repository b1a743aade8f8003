"""Receive uploaded files, and say in plain words why one cannot be stored."""

from __future__ import annotations

import errno
import logging
from contextlib import suppress
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest

logger = logging.getLogger(__name__)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}
# The attribute of a request whose file could not be stored.
_ERROR = "daybreak_upload_error"


class DiskUploadHandler(TemporaryFileUploadHandler):
    """Django's handler of large files, which survives a disk that is full or cannot be written.

    A form is parsed before any view runs, so an error of the disk would be an error 500 on every
    page. Here the file is left out of the form, and `upload_error` says why.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            self._give_up(error)
            raise SkipFile from error

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self._give_up(error)
            raise SkipFile from error

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        try:
            return super().file_complete(file_size)
        except OSError as error:  # the last bytes are written now
            self._give_up(error)
            return None

    def _give_up(self, error: OSError) -> None:
        setattr(self.request, _ERROR, why_not_stored(error))
        if file := self.__dict__.pop("file", None):
            # It tries again to write what is left, and then deletes the file in any case.
            with suppress(OSError):
                file.close()


def upload_error(request: HttpRequest) -> str:
    """Return why a file of this request could not be stored, as a sentence, or ""."""
    return str(getattr(request, _ERROR, ""))


def why_not_stored(error: OSError) -> str:
    """Log the error for the operator, and return a sentence for the person with the file."""
    logger.error("A file cannot be stored: %s", error)
    if error.errno in _NO_ROOM:
        return (
            "There is no room on the server for this file, and nothing of it is kept. Ask the "
            "operator to make room, then upload it again."
        )
    if error.errno in _NOT_ALLOWED:
        return (
            "The server is not allowed to write to its folder for files, so nothing of this file "
            "is kept. Ask the operator to look at FILES_DIR."
        )
    return (
        f"The server cannot store this file ({error.strerror or type(error).__name__}), and "
        "nothing of it is kept. Ask the operator to look at its log."
    )
