"""Give every response under /api/ its common form, whatever code made it.

Errors are problem details, also those of Django and its middleware. Any page may read what is
public (CORS), but no page may send a token from a browser. HEAD is answered like GET.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from subscribers.api import problems
from subscribers.api.rate_limit import QuotaUse

_PATH = "/api/"
# A browser repeats its preflight once a day. Authorization is not in the list: a token has no place
# in a page of another origin.
_PREFLIGHT = {
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
_EXPOSED = "Link, Retry-After, RateLimit, RateLimit-Policy"


class ApiMiddleware:
    """Stands outside of the other middleware, so that it also sees what they refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_PATH):
            return self.get_response(request)
        if request.method == "HEAD":
            request.method = "GET"
        response = _as_problem(request, self.get_response(request))
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = _EXPOSED
        response.setdefault("Cache-Control", "no-store")
        if use := getattr(request, "quota_use", None):
            _set_rate_limit(response, use)
        return response


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if "Allow" in response:
        response["Allow"] = _allowed(response["Allow"])
        if request.method == "OPTIONS":
            return _preflight(response["Allow"])
    kind = problems.BY_STATUS.get(response.status_code)
    if kind is None or response.get("Content-Type", "").startswith(problems.CONTENT_TYPE):
        return response
    kept = {"Allow": response["Allow"]} if "Allow" in response else {}
    return problems.to_response(problems.ApiProblem(kind, headers=kept))


def _allowed(methods: str) -> str:
    found = {method.strip() for method in methods.split(",")} | {"OPTIONS"}
    return ", ".join(sorted(found | {"HEAD"} if "GET" in found else found))


def _preflight(methods: str) -> HttpResponse:
    headers = {"Allow": methods, "Access-Control-Allow-Methods": methods, **_PREFLIGHT}
    return HttpResponse(status=204, headers=headers)


def _set_rate_limit(response: HttpResponseBase, use: QuotaUse) -> None:
    """Set the headers of draft-ietf-httpapi-ratelimit-headers: the quota, and what is left."""
    response["RateLimit-Policy"] = f'"{use.name}";q={use.limit};w={use.period}'
    response["RateLimit"] = f'"{use.name}";r={use.remaining};t={use.resets_in}'
