"""The page on which the owners of an old and a new address agree to a change or refuse it."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now

from subscribers import languages, signed_links
from subscribers.models import Subscription
from subscribers.preferences import address_change
from subscribers.views.link_access import bad_link, signed_link
from subscribers.views.origin import origin_of


@signed_link
def confirm_address_change(request: HttpRequest, token: str) -> HttpResponse:
    """Show the change; a POST agrees to it, or cancels it if the field `no` is set."""
    try:
        step = address_change.read_link(token=token, now=now())
        face = _any_subscription(step)
        if face is None:
            return bad_link(request)
        languages.activate_for(request, subscription=face)
        if "no" in request.POST:
            address_change.cancel(change_id=step.change.pk, now=now())
            return _page(request, "dropped", face, step)
        if request.method == "POST":
            step = address_change.agree(token=token, origin=origin_of(request, token), now=now())
    except signed_links.BadToken:
        return bad_link(request)
    except signed_links.ExpiredToken:
        return render(request, "subscribers/address_change_expired.html", status=HTTPStatus.GONE)
    if step.done:
        return _page(request, "done", face, step)
    return _page(request, "agreed" if step.agreed else "ask", face, step)


def _page(
    request: HttpRequest, state: str, face: Subscription, step: address_change.ChangeSide
) -> HttpResponse:
    """Hide the old address from the new one's holder, who need not be a reader."""
    context = {
        "newsletter": face.newsletter,
        "state": state,
        "side": step.side,
        "change": step.change,
        "old_address": face.subscriber.email if step.side == address_change.OLD else "",
        "wording": address_change.button_sentence(step.change),
    }
    return render(request, "subscribers/address_change.html", context)


def _any_subscription(step: address_change.ChangeSide) -> Subscription | None:
    theirs = step.change.subscriber.subscriptions.select_related("newsletter", "subscriber")
    return theirs.order_by("pk").first()
