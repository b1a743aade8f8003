"""Log in one line, as a warning, what a client did wrong."""

from __future__ import annotations

import logging
from http import HTTPStatus


class ClientFaults(logging.Filter):
    """Django logs a request for an unknown host, such as a scanner's, as an error of ours.

    So it does with what else it refuses as suspicious (django.security), each with a traceback
    through Django alone. Somebody who lacks a permission (403) gets such a traceback as well.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        elif getattr(record, "status_code", None) == HTTPStatus.FORBIDDEN:
            record.exc_info = record.exc_text = None
        return True
