"""Explain the problem types on a page, and answer unknown paths with a problem."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers.api import problems


@require_safe
def problem_types(request: HttpRequest) -> HttpResponse:
    """Show the page that the `type` of a problem leads to."""
    rows = [
        {"type": problem_type, "explanation": _split_code(problem_type.meaning)}
        for problem_type in problems.PROBLEM_TYPES
    ]
    return render(request, "api/problems.html", {"problem_types": rows})


def _split_code(meaning: str) -> list[tuple[str, bool]]:
    """Split the sentences into pieces, each with whether it is code."""
    return [(piece, bool(n % 2)) for n, piece in enumerate(meaning.split("`")) if piece]


@csrf_exempt
def not_found(request: HttpRequest, **_: Any) -> HttpResponse:
    return problems.to_response(problems.ApiProblem(problems.NOT_FOUND))
