"""Treat a session as nobody's as long as it owes the code of the second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from config.login.second_factor import has_given_code


class SecondFactorMiddleware:
    """Replace request.user, so that no view has to ask for a code itself, nor can forget to.

    Readers' pages ask for no user and cost no query. The pages of the log-in find the user of a
    session that owes a code by `views.password_user`.
    """

    def __init__(self, get_response: Callable[[Any], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        user = request.user

        async def auser() -> Any:
            return await sync_to_async(_nobody_without_code)(user)

        request.user = SimpleLazyObject(lambda: _nobody_without_code(user))
        request.auser = auser
        return self.get_response(request)


def _nobody_without_code(user: Any) -> Any:
    if user.is_authenticated and not has_given_code(user):
        return AnonymousUser()
    return user
