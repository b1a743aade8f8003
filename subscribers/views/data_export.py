"""Show a reader what is stored about them, once a mail to their mailbox has been opened."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now

from subscribers import signed_links
from subscribers.i18n import languages
from subscribers.models import Subscription
from subscribers.preferences.data_request import request_data_link
from subscribers.privacy import data_export, data_export_page
from subscribers.views.link_access import (
    bad_link,
    data_link,
    preferences_subscription,
    signed_link,
)


@signed_link
def request_link(request: HttpRequest, token: str) -> HttpResponse:
    """Offer to mail a link to the reader's data; whoever holds the preferences link may ask."""
    subscription = preferences_subscription(token)
    if subscription is None:
        return bad_link(request)
    languages.activate_for(request, subscription=subscription)
    if request.method == "POST":
        request_data_link(subscription_id=subscription.pk, now=now())
        return redirect(f"{request.path}?asked=1")
    newsletter = subscription.newsletter
    context = {
        "newsletter": newsletter,
        "email": subscription.subscriber.email,
        "editors": newsletter.reply_to or newsletter.from_email,
        "link_days": signed_links.DATA_WITHIN.days,
        "preferences_url": reverse("preferences", args=[token]),
        "asked": "asked" in request.GET,
        "expired": "expired" in request.GET,
    }
    return render(request, "subscribers/data_request.html", context)


@data_link
def show(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    """Show everything as a page."""
    preferences = signed_links.preferences_token(subscription)
    context = data_export_page.context(
        data_export.gather(subscriber_id=subscription.subscriber_id)
    ) | {
        "newsletter": subscription.newsletter,
        "zone": data_export_page.zone_of(subscription),
        "download_url": reverse("data-export-download", args=[token]),
        "erase_url": reverse("erase-me", args=[token]),
        "preferences_url": reverse("preferences", args=[preferences]),
    }
    return render(request, "subscribers/data_export.html", context)


@data_link
def download(request: HttpRequest, token: str, subscription: Subscription) -> HttpResponse:
    return as_file(subscription.subscriber_id)


def as_file(subscriber_id: int) -> HttpResponse:
    """Return the data export as a file to save: JSON that a person can read, too."""
    exported = data_export.export(subscriber_id=subscriber_id)
    response = JsonResponse(exported, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="reader-{subscriber_id}.json"'
    return response
