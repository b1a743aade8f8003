"""Serve pages whose URL is a reader's key."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

_View = Callable[[HttpRequest, str], HttpResponse]


def signed_link(view: _View) -> _View:
    """A page whose URL is a reader's key: keep it out of caches, indexes and Referer headers.

    It needs no CSRF token: the link itself is what a forger lacks, and it must work in a browser
    that keeps no cookies and for a mail provider's one-click POST (RFC 8058).
    """

    @csrf_exempt
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapped
