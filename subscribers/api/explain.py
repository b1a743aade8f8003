"""Explain the kinds of problems to people, and tell programs that a path leads nowhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers.api import problems


@require_safe
def kinds(request: HttpRequest) -> HttpResponse:
    """The page that the `type` of a problem leads to."""
    return render(request, "api/problems.html", {"kinds": problems.KINDS})


@csrf_exempt
def unknown(request: HttpRequest, **_: Any) -> HttpResponse:
    return problems.answer(problems.Problem(problems.NOT_FOUND))
