"""Erase a reader who asks for it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now

from subscribers.i18n import languages
from subscribers.privacy import erasure
from subscribers.views.link_access import bad_link, preferences_subscription, signed_link


@signed_link
def erase_me(request: HttpRequest, token: str) -> HttpResponse:
    """Say what erasure means and ask once more; a POST of the button erases."""
    subscription = preferences_subscription(token)
    if subscription is None:
        return bad_link(request)
    languages.activate_for(request, subscription=subscription)
    context: dict[str, object] = {"newsletter": subscription.newsletter}
    if request.method == "POST":
        erasure.erase(subscriber_id=subscription.subscriber_id, now=now())
        return render(request, "subscribers/erased.html", context)
    context |= {"reader": subscription.subscriber, "token": token}
    return render(request, "subscribers/erase.html", context)
