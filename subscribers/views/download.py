"""Serve a file that is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

from django.http import StreamingHttpResponse

_BLOCK_BYTES = 65_536


def as_download(file: IO[bytes], *, name: str, content_type: str) -> StreamingHttpResponse:
    """Return the file to be saved under a name; it is closed with the response.

    Django's FileResponse would read a file without a name once more, to count its bytes.
    """
    return StreamingHttpResponse(
        _blocks(file),
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(os.fstat(file.fileno()).st_size),
        },
    )


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(_BLOCK_BYTES):
            yield block
