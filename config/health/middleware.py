"""Answer /healthz, /readyz/web and /readyz."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase

from config.health import readiness

logger = logging.getLogger(__name__)

# What each path checks. A load balancer asks /readyz/web: a page needs neither beat nor workers, so
# their absence must not take the sign-up away too. An alarm asks /readyz.
_CHECKS: dict[str, Callable[[], readiness.Results]] = {
    "/healthz": dict,
    "/readyz/web": readiness.check_web,
    "/readyz": readiness.check_all,
}


class HealthMiddleware:
    """The outermost middleware: who asks has no host name of the site and speaks plain http.

    The others would refuse the host or redirect to https.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        check = _CHECKS.get(request.path_info)
        if check is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        results = check()
        if failed := [name for name, result in results.items() if result.problem]:
            logger.warning("Not ready: %s", ", ".join(failed))
        response = JsonResponse(
            readiness.as_json(results),
            status=503 if failed else 200,
            content_type="application/health+json",
            headers={"Cache-Control": "no-store"},
        )
        if request.method == "HEAD":  # gunicorn would log a warning about a body
            response.content = b""
        return response
