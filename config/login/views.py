"""The pages between the password and the admin, and the account's page about its app."""

from __future__ import annotations

import math
import time
from base64 import b32encode
from datetime import timedelta
from typing import Any, cast
from urllib.parse import quote, urlencode

import segno
from axes.handlers.proxy import AxesProxyHandler
from django.contrib import admin, auth, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST
from django_otp import login as verify_session
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.login import second_factor, throttle
from config.login.forms import CodeForm

# The key of a session under which it keeps when its password was given, in seconds.
PASSWORD_AT = "password_at"  # noqa: S105 (no password)
# Who begins to set up an app has given the password within this time. Otherwise a session from
# before the upgrade, or one that was left open when an app was removed, would do.
PASSWORD_GOOD_FOR = 900
WRONG_CODE = "That is not the code that the app shows now, nor a recovery code."


# --- Between the password and the admin -----------------------------------------------------------


def password_user(request: HttpRequest) -> User | None:
    """Return the user of a session that owes a code; None for others and for nobody."""
    if request.user.is_authenticated:
        return None
    user = auth.get_user(request)
    return user if user.is_authenticated else None


@sensitive_post_parameters()
@never_cache
def code_page(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the app, or for a recovery code, and let the session in."""
    user = password_user(request)
    if user is None:
        return HttpResponseRedirect(_next(request))
    if second_factor.app_of(user) is None:
        return HttpResponseRedirect(with_next("admin:login_set_up", request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and (device := _device_of_code(user, form)):
        _let_in(request, user, device)
        if not isinstance(device, TOTPDevice):
            _say_how_many_are_left(request, user)
        return HttpResponseRedirect(_next(request))
    return _page(request, "code", "Enter your code", {"form": form, "who": user})


@sensitive_post_parameters()
@never_cache
def set_up_page(request: HttpRequest) -> HttpResponse:
    """Have an account without an app set one up, before anything else."""
    owing = password_user(request)
    user = owing or (request.user if request.user.is_authenticated else None)
    if not isinstance(user, User):
        return HttpResponseRedirect(with_next("admin:login", request))
    is_offer = request.method == "POST" and "offer" in request.POST
    # Whoever replaces an app has given a code of it.
    if second_factor.app_of(user) and (owing or not is_offer):
        return HttpResponseRedirect(with_next("admin:login_code", request))
    if is_offer:
        return _set_up(request, user)
    if time.time() - request.session.get(PASSWORD_AT, 0) > PASSWORD_GOOD_FOR:
        auth.logout(request)
        messages.info(request, "Please log in again, to set up an authenticator app.")
        return HttpResponseRedirect(with_next("admin:login", request))
    return _offer_page(request, user, second_factor.offer(user, replaces=None), CodeForm())


@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    """Log a session out that owes a code; the admin's own log-out is for those who gave it."""
    auth.logout(request)
    return HttpResponseRedirect(reverse("admin:login"))


def locked_page(request: HttpRequest, *_: object) -> HttpResponse:
    """Say that there were too many wrong passwords, the same to all whoever they may be.

    The answer depends on the name that was typed, not on whether an account has it.
    """
    # Without them it is a log-in's own account that has typed a wrong old password.
    own = {"username": request.user.get_username()}
    credentials = getattr(request, "axes_credentials", None) or own
    handler = AxesProxyHandler.get_implementation()
    wait = throttle.minutes(handler.locked_for(request, credentials))
    response = _page(request, "locked", "Too many wrong passwords", {"minutes": wait})
    response.status_code = 429
    response["Retry-After"] = str(wait * 60)
    return response.render()


# --- The account's own page -----------------------------------------------------------------------


@sensitive_post_parameters()
@never_cache
def app_page(request: HttpRequest) -> HttpResponse:
    """Show which app the account has; give new recovery codes, or another app, for a code."""
    user = cast(User, request.user)
    app = second_factor.app_of(user)
    wants = request.POST.get("wants")
    form = CodeForm(request.POST if wants else None, label="Current code", focus=False)
    if app and wants in {"codes", "app"} and (device := _device_of_code(user, form)):
        if wants == "app":
            offered = second_factor.offer(user, replaces=app)
            return _offer_page(request, user, offered, CodeForm())
        codes = second_factor.make_recovery_codes(user)
        _record(user, "Made new recovery codes.")
        if device != app:  # the code that was given is gone with the others
            verify_session(request, app)
        return _codes_page(request, codes)
    context = {"form": form, "app": app, "left": second_factor.recovery_codes_left(user)}
    return _page(request, "app", "Authenticator app", context)


# --- Parts ----------------------------------------------------------------------------------------


def with_next(name: str, request: HttpRequest) -> str:
    """Return the URL of a page that leads on to where this request was to lead."""
    return f"{reverse(name)}?{urlencode({'next': _next(request)})}"


def _next(request: HttpRequest) -> str:
    """Return where the log-in leads to: an address of this site, or else the overview."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()):
        return url
    return reverse("admin:index")


def _device_of_code(user: User, form: CodeForm) -> Device | None:
    """Return the device whose code the form has; otherwise the form says what is wrong."""
    if not form.is_valid():
        return None
    try:
        device = second_factor.find_device(user, form.cleaned_data["code"])
    except second_factor.CodeRefused as refused:
        form.add_error("code", too_soon(refused.until - now()))
        return None
    if device is None:
        form.add_error("code", WRONG_CODE)
    return device


def too_soon(wait: timedelta) -> str:
    """Say for how long no code is looked at; a single wrong code closes it for a second."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    if seconds >= 90:
        return f"Too many wrong codes. Try again in {throttle.minutes(wait)} minutes."
    one = "" if seconds == 1 else "s"
    return f"That was too soon after a wrong code. Try again in {seconds} second{one}."


def _let_in(request: HttpRequest, user: User, device: Device) -> None:
    """Note in the session that the code was given, under a new session key."""
    request.user = user
    verify_session(request, device)
    request.session.cycle_key()


def _say_how_many_are_left(request: HttpRequest, user: User) -> None:
    left = second_factor.recovery_codes_left(user)
    messages.warning(
        request,
        f"You have {left} recovery code{'' if left == 1 else 's'} left. If your phone is gone, set "
        "up another one: open the menu at your name, and choose Authenticator app.",
    )


@sensitive_variables()
def _set_up(request: HttpRequest, user: User) -> HttpResponse:
    form = CodeForm(request.POST)
    offered = request.POST["offer"]
    try:
        done = form.is_valid() and second_factor.set_up(user, offered, form.cleaned_data["code"])
        if not done:
            if form.is_valid():
                form.add_error("code", "That is not the code that the app shows for this account.")
            return _offer_page(request, user, offered, form)
    except second_factor.OfferExpired:
        messages.warning(request, "That page was too old. Please begin again.")
        return HttpResponseRedirect(with_next("admin:login", request))
    app, codes = done
    _let_in(request, user, app)
    _record(user, "Set up an authenticator app.")
    return _codes_page(request, codes)


@sensitive_variables()
def _offer_page(request: HttpRequest, user: User, offered: str, form: CodeForm) -> HttpResponse:
    app = second_factor.app_of_offer(user, offered)
    secret = b32encode(app.bin_key).decode()
    context = {
        "form": form,
        "who": user,
        "offer": offered,
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "url": app.config_url,
        "qr_code": segno.make(app.config_url, micro=False, error="m").svg_inline(scale=5, border=4),
    }
    return _page(request, "set_up", "Set up an authenticator app", context)


@sensitive_variables()
def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    lines = [f"Recovery codes of {request.user} for Daybreak, {request.get_host()}", "", *codes, ""]
    context = {"codes": codes, "file": "data:text/plain;charset=utf-8," + quote("\n".join(lines))}
    return _page(request, "codes", "Keep your recovery codes", context)


def _page(request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> TemplateResponse:
    """Return a page in the admin's look."""
    request.current_app = admin.site.name
    everything = admin.site.each_context(request) | {"title": title, "next": _next(request)}
    return TemplateResponse(request, f"admin/login/{name}.html", everything | context)


def _record(user: User, message: str) -> None:
    """Write into the admin's log what an account did about its second factor."""
    LogEntry.objects.log_actions(
        user_id=user.pk,
        queryset=User.objects.filter(pk=user.pk),
        action_flag=CHANGE,
        change_message=message,
        single_object=True,
    )
