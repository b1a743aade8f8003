"""The pages that a reader sees, from the front page to the way out."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from subscribers import consent, signup, tokens
from subscribers import preferences as choices
from subscribers.abuse import Attempt
from subscribers.consent import Origin
from subscribers.forms import SectionsForm, SignUpForm
from subscribers.models import Consent, Newsletter, Subscription

_View = Callable[[HttpRequest, str], HttpResponse]


def signed_link(view: _View) -> _View:
    """A page whose URL is a reader's key: keep it out of caches, indexes and Referer headers.

    It needs no CSRF token: the link itself is what a forger lacks, and it must work in a browser
    that keeps no cookies and for a mail provider's one-click POST (RFC 8058).
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


# --- In -----------------------------------------------------------------------------------------


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    newsletters = Newsletter.objects.filter(is_listed=True)
    return render(request, "subscribers/home.html", {"newsletters": newsletters})


@require_http_methods(["GET", "HEAD", "POST"])
def newsletter(request: HttpRequest, slug: str) -> HttpResponse:
    newsletter = get_object_or_404(Newsletter, slug=slug)
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        signup.sign_up(
            newsletter=newsletter,
            email=form.cleaned_data["email"],
            attempt=Attempt(trap=form.cleaned_data["website"]),
            origin=_origin(request),
            now=now(),
        )
        return redirect("signup-done", slug=slug)
    wording = consent.wording(Consent.Kind.SIGNUP, newsletter)
    context = {"newsletter": newsletter, "form": form, "wording": wording}
    return render(request, "subscribers/newsletter.html", context)


@require_safe
def signup_done(request: HttpRequest, slug: str) -> HttpResponse:
    newsletter = get_object_or_404(Newsletter, slug=slug)
    return render(request, "subscribers/check_your_inbox.html", {"newsletter": newsletter})


@signed_link
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """One button; a POST of it confirms. An expired link's button asks for a fresh one."""
    wants_fresh_link = "fresh" in request.POST
    try:
        if request.method == "POST" and not wants_fresh_link:
            result = signup.confirm(token=token, origin=_origin(request, token), now=now())
            return _confirmed(request, result.subscription, just_now=not result.again)
        subscription = signup.find(token=token, now=now())
    except tokens.BadToken:
        return render(request, "subscribers/bad_link.html", status=HTTPStatus.NOT_FOUND)
    except tokens.ExpiredToken as expired:
        newsletter = get_object_or_404(Newsletter, subscriptions=expired.subscription_id)
        if wants_fresh_link:
            signup.request_fresh_link(
                subscription_id=expired.subscription_id,
                origin=_origin(request, token),
                now=now(),
            )
            return redirect("signup-done", slug=newsletter.slug)
        return _expired(request, newsletter)
    if subscription.status == Subscription.Status.ACTIVE:
        return _confirmed(request, subscription, just_now=False)
    wording = consent.wording(Consent.Kind.CONFIRMATION, subscription.newsletter)
    context = {"newsletter": subscription.newsletter, "wording": wording}
    return render(request, "subscribers/confirm.html", context)


def _confirmed(request: HttpRequest, subscription: Subscription, *, just_now: bool) -> HttpResponse:
    """Only the click that confirmed is shown the way to the preferences.

    That link never expires, and so an old confirmation link must not lead to it.
    """
    context: dict[str, object] = {"newsletter": subscription.newsletter}
    if just_now:
        token = tokens.preferences_token(subscription.pk)
        context["preferences_url"] = reverse("preferences", args=[token])
    return render(request, "subscribers/confirmed.html", context)


def _expired(request: HttpRequest, newsletter: Newsletter) -> HttpResponse:
    wording = consent.wording(Consent.Kind.SIGNUP, newsletter)
    context = {"newsletter": newsletter, "wording": wording}
    return render(request, "subscribers/expired.html", context, status=HTTPStatus.GONE)


# --- Out ----------------------------------------------------------------------------------------


@signed_link
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One button. A POST ends the subscription, from the page or in one click from a mail client.

    A token that is not ours gets the same answer (with no newsletter's name to show), so that
    nobody learns anything by trying tokens.
    """
    subscription = _subscription(tokens.read_unsubscribe, token)
    left = subscription is not None and subscription.status == Subscription.Status.UNSUBSCRIBED
    if request.method == "POST":
        if subscription:
            origin = _origin(request, token)
            choices.unsubscribe(
                subscription_id=subscription.pk,
                now=now(),
                page=origin.page,
                ip_address=origin.ip_address,
                user_agent=origin.user_agent,
            )
        left = True
    # The name is for the reader on our page; a mail provider's click gets one answer for all.
    named = subscription if request.method != "POST" or "page" in request.POST else None
    context = {"newsletter": named.newsletter if named else None}
    page = "unsubscribed" if left else "unsubscribe"
    return render(request, f"subscribers/{page}.html", context)


@signed_link
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    subscription = _subscription(tokens.read_preferences, token)
    if subscription is None:
        return render(request, "subscribers/bad_link.html", status=HTTPStatus.NOT_FOUND)
    form = SectionsForm(
        request.POST if request.method == "POST" else None, subscription=subscription
    )
    if request.method == "POST" and form.is_valid():
        choices.set_muted_sections(subscription_id=subscription.pk, section_ids=form.muted())
        return redirect(f"{request.path}?saved")
    context = {
        "newsletter": subscription.newsletter,
        "subscription": subscription,
        "form": form,
        "saved": "saved" in request.GET,
        "unsubscribe_url": reverse("unsubscribe", args=[tokens.unsubscribe_token(subscription.pk)]),
    }
    return render(request, "subscribers/preferences.html", context)


def _subscription(read: Callable[[str], int], token: str) -> Subscription | None:
    try:
        subscription_id = read(token)
    except tokens.BadToken:
        return None
    related = ("newsletter", "subscriber")
    return Subscription.objects.select_related(*related).filter(pk=subscription_id).first()


# --- Whence -------------------------------------------------------------------------------------


def _origin(request: HttpRequest, token: str = "") -> Origin:
    """Where the act came from; a link's token is a key and is not kept in the ledger."""
    page = request.build_absolute_uri(request.path)
    return Origin(
        page=page.replace(token, "…") if token else page,
        language=get_language() or settings.LANGUAGE_CODE,
        ip_address=_ip_address(request),
        user_agent=request.headers.get("User-Agent", ""),
    )


def _ip_address(request: HttpRequest) -> str | None:
    """The client's address. Only behind a proxy of ours is X-Forwarded-For to be believed.

    Its last entry is the one that our proxy wrote; those before it are the client's own words.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        forwarded = request.headers.get("X-Forwarded-For", "")
        address = forwarded.rpartition(",")[2].strip() or address
    try:
        ip_address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None  # a Unix socket has none
    # What a server that listens on [::] calls 192.0.2.7 is ::ffff:192.0.2.7.
    return str(getattr(ip_address, "ipv4_mapped", None) or ip_address)
