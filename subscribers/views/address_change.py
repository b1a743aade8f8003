"""The page on which the owners of an old and a new address agree to a change or refuse it."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now

from subscribers import signed_links
from subscribers.i18n import languages
from subscribers.models import Subscription
from subscribers.preferences import address_change
from subscribers.preferences.requested_mail import confirmed_first
from subscribers.views.link_access import bad_link, signed_link
from subscribers.views.origin import origin_of


@signed_link
def confirm_address_change(request: HttpRequest, token: str) -> HttpResponse:
    """Show the change; a POST agrees to it, or cancels it if the field `no` is set."""
    try:
        change_side = address_change.read_link(token=token, now=now())
        subscription = _any_subscription(change_side)
        if subscription is None:
            return bad_link(request)
        languages.activate_for(request, subscription=subscription)
        if "no" in request.POST:
            if address_change.cancel(change_id=change_side.change.pk, now=now()):
                return _page(request, "dropped", subscription, change_side)
            # Both had agreed before: the page must not say that nothing changes.
            change_side = address_change.read_link(token=token, now=now())
        elif request.method == "POST":
            change_side = address_change.agree(
                token=token, origin=origin_of(request, token), now=now()
            )
    except signed_links.BadToken:
        return bad_link(request)
    except signed_links.ExpiredToken:
        context = {"link_days": signed_links.CONFIRM_WITHIN.days}
        template = "subscribers/address_change_expired.html"
        return render(request, template, context, status=HTTPStatus.GONE)
    if change_side.done:
        return _page(request, "done", subscription, change_side)
    return _page(request, "agreed" if change_side.agreed else "ask", subscription, change_side)


def _page(
    request: HttpRequest,
    state: str,
    subscription: Subscription,
    change_side: address_change.ChangeSide,
) -> HttpResponse:
    """Hide the old address from the new one's holder, who need not be a reader."""
    context = {
        "newsletter": subscription.newsletter,
        "state": state,
        "side": change_side.side,
        "change": change_side.change,
        "old_address": subscription.subscriber.email
        if change_side.side == address_change.OLD
        else "",
        "wording": address_change.button_sentence(change_side.change),
    }
    return render(request, "subscribers/address_change.html", context)


def _any_subscription(change_side: address_change.ChangeSide) -> Subscription | None:
    return confirmed_first(change_side.change.subscriber.subscriptions.all()).first()
