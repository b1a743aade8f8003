"""Send a reader who lost their preferences link a new one, by their address alone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from subscribers.addresses.address import BadAddress
from subscribers.preferences.link_request import request_link
from subscribers.signup.abuse import ChallengeNeeded, SentTooQuickly
from subscribers.views.origin import origin_of
from subscribers.views.posted_form import FormState, attempt_of, email_of, new_form, refused_form


# As with sign-up, the form uses no authority of the reader, so a forger gains nothing.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def lost_link(request: HttpRequest) -> HttpResponse:
    """Give the same answer for every address, known or not."""
    if request.method != "POST":
        return _form(request, new_form())
    try:
        request_link(
            email=email_of(request),
            attempt=attempt_of(request),
            origin=origin_of(request),
            now=now(),
        )
    except (BadAddress, ChallengeNeeded, SentTooQuickly) as error:
        busy = gettext("Very many people are asking just now. Please press the button again.")
        return _form(request, refused_form(request, error, busy=busy))
    return redirect("lost-link-sent")


@require_safe
def lost_link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/lost_link_sent.html")


def _form(request: HttpRequest, form_state: FormState) -> HttpResponse:
    return render(request, "subscribers/lost_link.html", {"form_state": form_state})
