"""Keep to HTTP where Django leaves it to the web server, and log a client's faults in one line."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.db import DataError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
    UnreadablePostError,
)


class HttpMiddleware:
    """The outermost middleware, so that it sees every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # The API treats HEAD as GET, so the method may have been changed.
        if request.META["REQUEST_METHOD"] == "HEAD":
            _remove_body(response)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a client that never sent the rest of its form: that is no fault of ours.

        Nor is a NUL that a page of the admin looks up: no text in PostgreSQL has one.
        """
        if isinstance(error, UnreadablePostError):
            return HttpResponse(status=400)
        if isinstance(error, DataError) and _holds_nul(request):
            return HttpResponse(status=400)
        return None


def _holds_nul(request: HttpRequest) -> bool:
    sent = [request.path, *request.GET, *request.POST]
    for values in (request.GET, request.POST):
        sent += [text for _, texts in values.lists() for text in texts]
    return any("\0" in text for text in sent)


def _remove_body(response: HttpResponseBase) -> None:
    """Leave what GET would say of the body: gunicorn logs a warning for each that it drops."""
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = ()
    elif isinstance(response, HttpResponse):
        length = str(len(response.content))
        response.content = b""
        response["Content-Length"] = length


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
