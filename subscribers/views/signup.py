"""The sign-up pages, from a newsletter's own page to a confirmed subscription."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from subscribers import signed_links
from subscribers.addresses.address import BadAddress, masked
from subscribers.consent.record import Origin, consent_wording
from subscribers.i18n import languages
from subscribers.models import Consent, Newsletter, Subscription
from subscribers.signup import flow, newsletter_cache
from subscribers.signup.abuse import ChallengeNeeded, SentTooQuickly
from subscribers.views.link_access import bad_link, signed_link
from subscribers.views.origin import origin_of
from subscribers.views.posted_form import (
    FormState,
    attempt_of,
    email_of,
    mended,
    new_form,
    read_as,
    refused_form,
)


# The form uses no authority of the reader, so a forger gains nothing. It needs no CSRF token and no
# cookie, and readers whose browsers keep no cookies can sign up, too.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def newsletter_page(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "POST":
        return _posted(request, slug)
    newsletter = get_object_or_404(Newsletter, slug=slug)
    languages.activate_for(request, newsletter=newsletter)
    return _form(request, newsletter, new_form())


def _posted(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        newsletter = newsletter_cache.get(slug)
    except Newsletter.DoesNotExist:
        raise Http404 from None
    languages.activate_for(request, newsletter=newsletter)
    problem = submit_form(request, newsletter, origin=origin_of(request))
    return problem or submitted(request, newsletter) or redirect("signup-done", slug=slug)


def submitted(request: HttpRequest, newsletter: Newsletter) -> HttpResponse | None:
    """Return the page that shows the address if it was mended; None if it is as it was typed.

    It answers the form itself, because no address is put into a URL.
    """
    address = mended(email_of(request))
    return _done(request, newsletter, read_as(address)) if address else None


def submit_form(
    request: HttpRequest, newsletter: Newsletter, *, origin: Origin
) -> HttpResponse | None:
    """Sign up by a form of any page; return the form again if it was refused, else None."""
    try:
        flow.sign_up(
            newsletter=newsletter,
            email=email_of(request),
            attempt=attempt_of(request),
            origin=origin,
            now=now(),
        )
    except (BadAddress, ChallengeNeeded, SentTooQuickly) as error:
        busy = gettext("Very many people are signing up just now. Please press the button again.")
        return _form(request, newsletter, refused_form(request, error, busy=busy))
    return None


def _form(request: HttpRequest, newsletter: Newsletter, form_state: FormState) -> HttpResponse:
    context = {
        "newsletter": newsletter,
        "form_state": form_state,
        "wording": consent_wording(Consent.Kind.SIGNUP, newsletter),
    }
    return render(request, "subscribers/newsletter.html", context)


@require_safe
def signup_done(request: HttpRequest, slug: str) -> HttpResponse:
    newsletter = get_object_or_404(Newsletter, slug=slug)
    languages.activate_for(request, newsletter=newsletter)
    return _done(request, newsletter)


def _done(request: HttpRequest, newsletter: Newsletter, read_as: str = "") -> HttpResponse:
    context = {
        "newsletter": newsletter,
        "link_days": signed_links.CONFIRM_WITHIN.days,
        "read_as": read_as,
    }
    return render(request, "subscribers/check_your_inbox.html", context)


@signed_link
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button, whose POST confirms. An expired link's button asks for a fresh link."""
    wants_fresh_link = "fresh" in request.POST
    try:
        subscription = flow.find_by_token(token=token, now=now())
        languages.activate_for(request, subscription=subscription)
        if request.method == "POST" and not wants_fresh_link:
            result = flow.confirm(token=token, origin=origin_of(request, token), now=now())
            return _confirmed(request, result.subscription, just_now=not result.is_repeat)
    except signed_links.BadToken:
        return bad_link(request, is_confirming=True)
    except signed_links.ExpiredToken as expired:
        found = Subscription.objects.select_related("newsletter", "subscriber")
        subscription = get_object_or_404(found, pk=expired.subscription_id)
        languages.activate_for(request, subscription=subscription)
        if wants_fresh_link:
            flow.request_fresh_link(
                subscription_id=expired.subscription_id,
                origin=origin_of(request, token),
                now=now(),
            )
            return redirect("signup-done", slug=subscription.newsletter.slug)
        return _expired(request, subscription.newsletter)
    if subscription.status == Subscription.Status.ACTIVE:
        return _confirmed(request, subscription, just_now=False)
    wording = consent_wording(Consent.Kind.CONFIRMATION, subscription.newsletter)
    context = {
        "newsletter": subscription.newsletter,
        "wording": wording,
        "email": masked(subscription.subscriber.email),
    }
    return render(request, "subscribers/confirm.html", context)


def _confirmed(request: HttpRequest, subscription: Subscription, *, just_now: bool) -> HttpResponse:
    """Say that the reader is subscribed; only the click that confirmed gets a preferences link.

    The preferences link never expires, so an old confirmation link must not lead to it.
    """
    context: dict[str, object] = {"newsletter": subscription.newsletter}
    if just_now:
        token = signed_links.preferences_token(subscription)
        context["preferences_url"] = reverse("preferences", args=[token])
    return render(request, "subscribers/confirmed.html", context)


def _expired(request: HttpRequest, newsletter: Newsletter) -> HttpResponse:
    wording = consent_wording(Consent.Kind.SIGNUP, newsletter)
    context = {
        "newsletter": newsletter,
        "wording": wording,
        "link_days": signed_links.CONFIRM_WITHIN.days,
    }
    return render(request, "subscribers/expired.html", context, status=HTTPStatus.GONE)
