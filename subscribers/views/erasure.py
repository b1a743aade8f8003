"""Erase a reader who asks for it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import now

from subscribers import signed_links
from subscribers.models import Subscription
from subscribers.privacy import erasure
from subscribers.views.link_access import data_link


@data_link
def erase_me(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Say what erasure means and ask once more; a POST of the button erases."""
    context: dict[str, object] = {"newsletter": subscription.newsletter}
    if request.method == "POST":
        erasure.erase(subscriber_id=subscription.subscriber_id, now=now())
        return render(request, "subscribers/erased.html", context)
    preferences = signed_links.preferences_token(subscription)
    context |= {
        "reader": subscription.subscriber,
        "token": token,
        "preferences_url": reverse("preferences", args=[preferences]),
    }
    return render(request, "subscribers/erase.html", context)
