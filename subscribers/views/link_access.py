"""Serve pages whose URL holds a reader's signed token, and find the subscription it is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscribers import signed_links
from subscribers.i18n import languages
from subscribers.models import Subscription
from subscribers.views.posted_form import new_form

# How many times a reader may have changed their address, each time with the same newsletter.
_HOPS = 5
# What a token is made of. Programs that turn text into links take up what follows a URL in it.
_TOKEN = re.compile(r"[A-Za-z0-9_-]*")
_View = Callable[[HttpRequest, str], HttpResponse]
_ReadersView = Callable[[HttpRequest, str, Subscription], HttpResponse]


def signed_link(view: _View) -> _View:
    """Keep a page whose URL holds a token out of caches, indexes and Referer headers.

    The page needs no CSRF token, because a forger does not have the link. It must work in a browser
    that keeps no cookies, and for a mail provider's one-click POST (RFC 8058).
    """

    @csrf_exempt
    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapped


def data_link(view: _ReadersView) -> _View:
    """Serve a page about a reader's data, which only the link of a mail to their mailbox opens.

    An expired link leads to the page that sends another one to the same mailbox.
    """

    @signed_link
    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        try:
            link = signed_links.read_data(token, now=now())
        except signed_links.BadToken:
            return bad_link(request)
        subscription = _follow(link.subscription_id)
        if subscription is None or not link.was_sent_to(subscription.subscriber.email):
            return bad_link(request)
        if link.has_expired:
            preferences = signed_links.preferences_token(subscription)
            return redirect(f"{reverse('data-request', args=[preferences])}?expired=1")
        languages.activate_for(request, subscription=subscription)
        return view(request, token, subscription)

    return wrapped


def bad_link(
    request: HttpRequest, *, is_leaving: bool = False, is_confirming: bool = False
) -> HttpResponse:
    """Return the page for a link that is not ours, or an erased reader's.

    It asks for the address, to which a link that works is sent. If the link was to unsubscribe, it
    says that nobody has been unsubscribed; if it was to confirm, that another one comes.
    """
    context = {
        "form_state": new_form(), "is_leaving": is_leaving, "is_confirming": is_confirming,
    }  # fmt: skip
    return render(request, "subscribers/bad_link.html", context, status=HTTPStatus.NOT_FOUND)


def without_additions(token: str) -> str:
    """Return the token without what is not ours at its end: a full stop, a bracket, a slash."""
    found = _TOKEN.match(token)
    return found[0] if found else ""


def preferences_subscription(token: str) -> Subscription | None:
    """Return the subscription whose preferences a link opens.

    None if the link is not ours, was sent to an address that the reader no longer has, or is an
    erased reader's.
    """
    try:
        link = signed_links.read_preferences(token)
    except signed_links.BadToken:
        return None
    subscription = _follow(link.subscription_id)
    if subscription is None:
        return None
    # Compare with the address of the reader it leads to: two readers may have been merged.
    return subscription if link.was_sent_to(subscription.subscriber.email) else None


def unsubscribe_subscription(token: str) -> Subscription | None:
    """Return the subscription that a link ends, however old its mail is.

    None if the link is not ours, or is an erased reader's.
    """
    try:
        return _follow(signed_links.read_unsubscribe(token))
    except signed_links.BadToken:
        return None


def _follow(subscription_id: int) -> Subscription | None:
    subscription = _find(subscription_id)
    # An old mail's link leads to the subscription that replaced its own: leaving there must end
    # what still comes.
    for _ in range(_HOPS):
        if subscription is None or subscription.moved_to_id is None:
            break
        if subscription.status != Subscription.Status.UNSUBSCRIBED:
            break
        subscription = _find(subscription.moved_to_id) or subscription
    return subscription


def _find(subscription_id: int) -> Subscription | None:
    found = Subscription.objects.select_related("newsletter", "subscriber")
    return found.filter(pk=subscription_id, subscriber__erased_at=None).first()
