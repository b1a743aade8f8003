"""Keep to HTTP where Django leaves it to the web server."""

from __future__ import annotations

from collections.abc import Callable

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
        """Answer a client that never sent the rest of its form: that is no fault of ours."""
        return HttpResponse(status=400) if isinstance(error, UnreadablePostError) else None


def _remove_body(response: HttpResponseBase) -> None:
    """Leave what GET would say of the body: gunicorn logs a warning for each that it drops."""
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = ()
    elif isinstance(response, HttpResponse):
        length = str(len(response.content))
        response.content = b""
        response["Content-Length"] = length
