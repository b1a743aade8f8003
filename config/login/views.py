"""The page of a log-in that is closed."""

from __future__ import annotations

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config.login import throttle


def locked_page(request: HttpRequest, *_: object) -> HttpResponse:
    """Say that there were too many wrong passwords, the same to all whoever they may be.

    The answer depends on the name that was typed, not on whether an account has it.
    """
    credentials = getattr(request, "axes_credentials", None)
    handler = AxesProxyHandler.get_implementation()
    wait = throttle.minutes(handler.locked_for(request, credentials))
    response = _page(request, "locked", "Too many wrong passwords", {"minutes": wait})
    response.status_code = 429
    response["Retry-After"] = str(wait * 60)
    return response.render()


def _page(request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> TemplateResponse:
    """Return a page in the admin's look."""
    request.current_app = admin.site.name
    everything = admin.site.each_context(request) | {"title": title}
    return TemplateResponse(request, f"admin/login/{name}.html", everything | context)
