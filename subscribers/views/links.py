"""What a reader's own links lead to: preferences, and the way out."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now

from subscribers import consent, languages, tokens
from subscribers import preferences as choices
from subscribers.forms import SectionsForm
from subscribers.models import Consent, Subscription
from subscribers.views.keys import reader_of, signed_link
from subscribers.views.origin import origin_of


@signed_link
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """One button. A POST ends the subscription, from the page or in one click from a mail client.

    A token that is not ours gets the same answer (with no newsletter's name to show), so that
    nobody learns anything by trying tokens.
    """
    subscription = reader_of(tokens.read_unsubscribe, token)
    # The name is for the reader on our page, and so is their language; a mail provider's click gets
    # one answer for all.
    named = subscription if request.method != "POST" or "page" in request.POST else None
    languages.speak(request, subscription=named)
    left = subscription is not None and subscription.status == Subscription.Status.UNSUBSCRIBED
    if request.method == "POST":
        if subscription:
            choices.unsubscribe(
                subscription_id=subscription.pk,
                origin=origin_of(request, token),
                # Who clicked in a mail program has not seen our page and its words.
                seen="" if named else consent.wording(consent.ONE_CLICK, subscription.newsletter),
                now=now(),
            )
        left = True
    context: dict[str, object] = {"newsletter": named.newsletter if named else None}
    if named and not left:
        context["wording"] = consent.wording(Consent.Kind.WITHDRAWAL, named.newsletter)
    page = "unsubscribed" if left else "unsubscribe"
    return render(request, f"subscribers/{page}.html", context)


@signed_link
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    subscription = reader_of(tokens.read_preferences, token)
    if subscription is None:
        return render(request, "subscribers/bad_link.html", status=HTTPStatus.NOT_FOUND)
    languages.speak(request, subscription=subscription)
    form = SectionsForm(
        request.POST if request.method == "POST" else None, subscription=subscription
    )
    if request.method == "POST" and form.is_valid():
        choices.set_muted_sections(
            subscription_id=subscription.pk,
            section_ids=form.muted(),
            origin=origin_of(request, token),
            now=now(),
        )
        return redirect(f"{request.path}?saved")
    context = {
        "newsletter": subscription.newsletter,
        "subscription": subscription,
        "form": form,
        "saved": "saved" in request.GET,
        "unsubscribe_url": reverse("unsubscribe", args=[tokens.unsubscribe_token(subscription.pk)]),
    }
    return render(request, "subscribers/preferences.html", context)
