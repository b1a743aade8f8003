"""Answer whom a page is not for."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.views.defaults import permission_denied


def answer(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Keep staff who lack a permission in the admin, with the ways on that they have."""
    match = request.resolver_match
    if not (match and match.app_name == "admin" and admin.site.has_permission(request)):
        return permission_denied(request, exception)
    request.current_app = admin.site.name
    context = admin.site.each_context(request) | {
        "title": "Not allowed",
        "why": str(exception),
    }
    page: HttpResponse = TemplateResponse(
        request, "admin/refused.html", context, status=HTTPStatus.FORBIDDEN
    )
    return page.render()  # type: ignore[attr-defined,no-any-return]
