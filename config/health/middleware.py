"""Answer /healthz, /readyz/web and /readyz."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from threading import Lock

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
# Seconds for which the results of a check are given to everybody who asks.
FRESH_SECONDS = 1.0
# Seconds for which they are given while the next check is under way.
STALE_SECONDS = 15.0


class _SharedCheck:
    """A check that runs once at a time, however many ask.

    Anybody may ask. Without this their requests would hold all threads of this process while the
    database does not answer.
    """

    def __init__(self, check: Callable[[], readiness.Results], path: str) -> None:
        self._check, self._path = check, path
        self._lock = Lock()
        self._results: readiness.Results = {}
        self._checked_at: float | None = None
        self._failed: AbstractSet[str] = frozenset()

    def results(self) -> readiness.Results:
        if self._lock.acquire(blocking=self._is_older_than(STALE_SECONDS)):
            try:
                if self._is_older_than(FRESH_SECONDS):
                    self._results = self._check()
                    self._checked_at = time.monotonic()
                    self._log()
            finally:
                self._lock.release()
        return self._results

    def _is_older_than(self, seconds: float) -> bool:
        return self._checked_at is None or time.monotonic() - self._checked_at > seconds

    def _log(self) -> None:
        """Log what has changed: a line for each request would fill the log."""
        failed = {name: found.reason for name, found in self._results.items() if found.problem}
        if failed.keys() != self._failed:
            named = [f"{name} ({why})" if why else name for name, why in failed.items()]
            logger.warning("%s: %s", self._path, f"fails: {', '.join(named)}" if named else "ok")
        self._failed = failed.keys()


class HealthMiddleware:
    """Stands outside of the middleware that would refuse the request.

    A load balancer asks over plain http and by an address, which is none of the site's host names.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._checks = {path: _SharedCheck(check, path) for path, check in _CHECKS.items()}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        check = self._checks.get(request.path_info)
        if check is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        found = readiness.as_json(check.results())
        response = JsonResponse(
            found,
            status=200 if found["status"] == "pass" else 503,
            content_type="application/health+json",
            headers={"Cache-Control": "no-store"},
        )
        response._has_been_logged = True  # type: ignore[attr-defined]  # otherwise each 503 is
        return response
