"""The least that Django has to do to store a POST: one view, one INSERT, no middleware."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt

from subscribers.models import Suppression


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse()  # the bench checks whether the server is up
    Suppression.objects.create(email_key=request.POST["email"], reason="manual", created_at=now())
    return HttpResponse(status=302, headers={"Location": "/done/"})


urlpatterns = [path("newsletters/daily/", insert), path("embed/daily/opened.json", insert)]
