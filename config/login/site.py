"""The admin's site, with the pages of the second factor in it."""

from __future__ import annotations

import time
from functools import wraps
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.contrib import messages
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from config.login import views
from subscribers.plumbing import kept_edits

# What the log-in page says if a form came from a session that has ended and could not be kept.
NOT_DONE = "You had been logged out, so nothing was saved or done."


class StaffSite(UnfoldAdminSite):
    """unfold's site, whose log-in has a second step."""

    def extra_urls(self) -> list[URLPattern]:
        """Return the URLs that unfold adds to its own."""
        return [
            path("login/code/", views.code_page, name="login_code"),
            path("login/set-up/", views.set_up_page, name="login_set_up"),
            path("login/cancel/", views.cancel, name="login_cancel"),
            path("authenticator/", self.admin_view(views.app_page), name="authenticator"),
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Keep what was typed if the session has ended, or say that it is lost; then log in."""
        checked = super().admin_view(view, cacheable)

        @wraps(checked)
        def keep_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and not self.has_permission(request):
                if kept_edits.keep(request):
                    messages.info(request, kept_edits.IS_KEPT)
                elif request.path != reverse("admin:logout"):
                    messages.warning(request, NOT_DONE)
            response: HttpResponseBase = checked(request, *args, **kwargs)
            return response

        return keep_first

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Ask for the password, and go on to the code if it was given."""
        if request.method == "GET" and views.password_user(request):
            return HttpResponseRedirect(views.with_next("admin:login_code", request))
        response: HttpResponseBase = super().login(request, extra_context)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect):
            request.session[views.PASSWORD_AT] = int(time.time())
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Change the password; a wrong old one counts like one at the log-in."""
        credentials = {"username": request.user.get_username()}
        if request.method == "POST" and not AxesProxyHandler.is_allowed(request, credentials):
            return views.locked_page(request)
        response: HttpResponseBase = super().password_change(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        if form and form.has_error("old_password", "password_incorrect"):
            user_login_failed.send(__name__, credentials=credentials, request=request)
        return response
