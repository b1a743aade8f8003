"""The front page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from subscribers.models import Newsletter


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    newsletters = Newsletter.objects.filter(is_listed=True)
    return render(request, "subscribers/home.html", {"newsletters": newsletters})
