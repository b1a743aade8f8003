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
    if not is_in_admin(request):
        return permission_denied(request, exception)
    return admin_page(request, title="Not allowed", why=str(exception))


def is_in_admin(request: HttpRequest) -> bool:
    """Tell whether it is for a page of the admin, from staff who have logged in."""
    match = request.resolver_match
    return bool(match and match.app_name == "admin" and admin.site.has_permission(request))


def admin_page(request: HttpRequest, *, title: str, why: str) -> HttpResponseBase:
    """Return a page of the admin, with status 403, that says why it does not do what was asked."""
    request.current_app = admin.site.name
    context = admin.site.each_context(request) | {"title": title, "why": why}
    page: HttpResponse = TemplateResponse(
        request, "admin/refused.html", context, status=HTTPStatus.FORBIDDEN
    )
    return page.render()  # type: ignore[attr-defined,no-any-return]
