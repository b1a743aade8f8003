"""Answer the hubs that tell when a feed has something new."""

from __future__ import annotations

from django.core.cache import cache
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from digest.feeds.polling import hubs
from digest.models import HubSubscription
from digest.tasks import fetch_feed
from subscribers.plumbing.queue import enqueue

# Messages of one hub about one feed in a minute whose signature is checked.
_A_MINUTE = 30


@csrf_exempt
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """Verify what we asked a hub for (GET), or hear that a feed has something new (POST).

    GET records the lease here: WebSub wants it so (section 5.3), and the address is a secret
    between the hub and us.
    """
    if request.method == "GET":
        return _verify(request, token)
    hub = HubSubscription.objects.filter(token=token).first()
    if hub is None:
        # The hub may end the subscription (section 7).
        return HttpResponse(status=410)
    if _is_too_often(token):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    try:
        signed = hubs.is_signed(hub, request.body, request.headers.get("X-Hub-Signature", ""))
    except RequestDataTooBig:
        return HttpResponse(status=413)
    if signed and (feed_id := hubs.take_message(hub, now=now())):
        enqueue(fetch_feed, feed_id=feed_id)
    # What is not signed is ignored, and whoever guesses keys does not hear so (section 7.1).
    return HttpResponse(status=202)


def _verify(request: HttpRequest, token: str) -> HttpResponse:
    asked = {
        name: request.GET.get(f"hub.{name}", "") for name in ("mode", "topic", "lease_seconds")
    }
    if not hubs.verify(token=token, now=now(), **asked):
        return HttpResponse(status=404)
    challenge = request.GET.get("hub.challenge", "")
    # As plain text, so that nobody can make a page of it.
    return HttpResponse(challenge[:1000], content_type="text/plain; charset=utf-8")


def _is_too_often(token: str) -> bool:
    key = f"digest:hub:{token}"
    cache.add(key, 0, timeout=60)
    try:
        return cache.incr(key) > _A_MINUTE
    except ValueError:  # it ended between the two
        return False
