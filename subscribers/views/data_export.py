"""Show a reader what is stored about them, on a page or as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from subscribers.i18n import languages
from subscribers.privacy import data_export, data_export_page
from subscribers.views.link_access import bad_link, preferences_subscription, signed_link


@signed_link
def show(request: HttpRequest, token: str) -> HttpResponse:
    """Show everything as a page; the preferences link's token opens this page, too."""
    subscription = preferences_subscription(token)
    if subscription is None:
        return bad_link(request)
    languages.activate_for(request, subscription=subscription)
    context = data_export_page.context(
        data_export.gather(subscriber_id=subscription.subscriber_id)
    ) | {
        "newsletter": subscription.newsletter,
        "zone": data_export_page.zone_of(subscription),
        "download_url": reverse("data-export-download", args=[token]),
        "preferences_url": reverse("preferences", args=[token]),
    }
    return render(request, "subscribers/data_export.html", context)


@signed_link
def download(request: HttpRequest, token: str) -> HttpResponse:
    subscription = preferences_subscription(token)
    if subscription is None:
        return bad_link(request)
    return as_file(subscription.subscriber_id)


def as_file(subscriber_id: int) -> HttpResponse:
    """Return the data export as a file to save: JSON that a person can read, too."""
    exported = data_export.export(subscriber_id=subscriber_id)
    response = JsonResponse(exported, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="reader-{subscriber_id}.json"'
    return response
