"""The unsubscribe page, and the way back for a reader who changes their mind."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext

from subscribers import signed_links
from subscribers.addresses.address import masked
from subscribers.consent.record import ONE_CLICK, consent_wording
from subscribers.i18n import languages, timezones
from subscribers.models import Consent, Newsletter, Subscription
from subscribers.preferences import choices, leaving
from subscribers.preferences.rhythm import rhythms
from subscribers.views.forms import REASONS, LeavingReasonForm, PauseForm
from subscribers.views.link_access import (
    bad_link,
    signed_link,
    unsubscribe_subscription,
    without_additions,
)
from subscribers.views.origin import origin_of

Status, Frequency = Subscription.Status, Subscription.Frequency
# Within this time a second or a slow click still counts as the click that ended the subscription.
JUST_NOW = timedelta(minutes=1)


@signed_link
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show one button. A POST ends the subscription, from the page or a mail client's one click.

    A link that stands for no subscription says so, and asks for the address: it was cut off on its
    way, or is an erased reader's, or is not ours. A mail client's click gets the same empty answer
    in every case (RFC 8058), because nobody reads it.
    """
    token = without_additions(token)
    subscription = unsubscribe_subscription(token)
    one_click = request.method == "POST" and "page" not in request.POST
    languages.activate_for(request, subscription=None if one_click else subscription)
    if subscription and request.method == "POST":
        leaving.unsubscribe(
            subscription_id=subscription.pk,
            origin=origin_of(request, token),
            seen=_seen(request, subscription.newsletter),
            now=now(),
        )
    if one_click:
        return HttpResponse(content_type="text/plain")
    if request.method == "POST":
        subscription = unsubscribe_subscription(token)
    if subscription is None:
        return bad_link(request, is_leaving=True)
    if subscription.status == Status.UNSUBSCRIBED:
        resubscribe_token = _resubscribe_token(subscription) if request.method == "POST" else ""
        return _unsubscribed_page(request, token, subscription, resubscribe_token=resubscribe_token)
    context = {
        "newsletter": subscription.newsletter,
        "wording": consent_wording(Consent.Kind.WITHDRAWAL, subscription.newsletter),
        # A mail may have been forwarded: its new reader sees that the button is not theirs.
        "email": masked(subscription.subscriber.email),
    }
    return render(request, "subscribers/unsubscribe.html", context)


@signed_link
def give_reason(request: HttpRequest, token: str) -> HttpResponse:
    """Store the reason that a reader gives for unsubscribing."""
    subscription = unsubscribe_subscription(token)
    if request.method != "POST" or subscription is None:
        return redirect("unsubscribe", token=token)
    if subscription.status != Status.UNSUBSCRIBED:
        # They are back, or never left: the page that says that the mails have stopped would lie.
        return redirect("unsubscribe", token=token)
    languages.activate_for(request, subscription=subscription)
    form = LeavingReasonForm(request.POST)
    if form.is_valid():
        answer = form.cleaned_data["why"]
        leaving.set_end_reason(
            subscription_id=subscription.pk,
            reason=answer,
            seen=f"{form.fields['why'].label} {REASONS[Subscription.EndReason(answer)]}",
            origin=origin_of(request, token),
            now=now(),
        )
    # A reader who has answered can still take the unsubscribing back on this page.
    resubscribe_token = request.POST.get("back", "")
    return _unsubscribed_page(
        request, token, subscription, resubscribe_token=resubscribe_token, form=form
    )


@signed_link
def resubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Bring a reader back: to all editions, to fewer mails, or after a pause."""
    subscription = unsubscribe_subscription(token)
    if request.method != "POST" or subscription is None:
        return redirect("unsubscribe", token=token)
    languages.activate_for(request, subscription=subscription)
    offer = "pause" if "weeks" in request.POST else request.POST.get("offer", "")
    pause_form = PauseForm({"weeks": request.POST.get("weeks", "")}, today=_today(subscription))
    until = None
    if offer == "pause" and pause_form.is_valid():
        until = pause_form.midnight(_zone(subscription))
    resubscribe_token = request.POST.get("back", "")
    try:
        is_active = leaving.resubscribe(
            subscription_id=subscription.pk,
            token=resubscribe_token,
            seen=_button_labels(subscription.newsletter).get(offer, ""),
            frequency=offer if offer in Frequency.values else "",
            paused_until=until,
            origin=origin_of(request, token),
            now=now(),
        )
    except choices.FrequencyNotOffered:
        # It was offered when the page was opened. The page now shows what is offered instead.
        subscription.refresh_from_db(fields=["status"])
        if subscription.status == Status.PENDING:
            return redirect("unsubscribe", token=token)
        return _unsubscribed_page(request, token, subscription, resubscribe_token=resubscribe_token)
    except Subscription.DoesNotExist:
        return bad_link(request)
    if not is_active:
        return redirect("signup-done", slug=subscription.newsletter.slug)
    return _welcome_back(request, subscription)


def _welcome_back(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """Say what comes from now on, which an earlier click may have decided."""
    subscription.refresh_from_db(fields=["status", "frequency", "paused_until"])
    until = subscription.paused_until
    context = {
        "newsletter": subscription.newsletter,
        "subscription": subscription,
        "paused_on": until.astimezone(_zone(subscription)).date()
        if until and until > now()
        else None,
    }
    return render(request, "subscribers/welcome_back.html", context)


def _seen(request: HttpRequest, newsletter: Newsletter) -> str:
    """Return the wording beside the button that was pressed; "" for that of our own page."""
    if "page" not in request.POST:
        # A reader who clicked in a mail program has seen no page of ours.
        return consent_wording(ONE_CLICK, newsletter)
    if request.POST["page"] == "preferences":
        return gettext("Unsubscribe from %(name)s") % {"name": newsletter.name}
    return ""


def _unsubscribed_page(
    request: HttpRequest,
    token: str,
    subscription: Subscription,
    *,
    resubscribe_token: str,
    form: LeavingReasonForm | None = None,
) -> HttpResponse:
    """Say that the newsletter has stopped; ask the reader why, and offer alternatives."""
    newsletter = subscription.newsletter
    answered = form is not None and form.is_valid()
    context = {
        "newsletter": newsletter,
        "token": token,
        "resubscribe_token": resubscribe_token,
        "offers": _offers(subscription),
        "button_labels": _button_labels(newsletter),
        "wording": consent_wording(Consent.Kind.SIGNUP, newsletter),
        "reason_form": None
        if answered
        else form or LeavingReasonForm(initial={"why": subscription.ended_why}),
        "answered": answered,
    }
    return render(request, "subscribers/unsubscribed.html", context)


def _offers(subscription: Subscription) -> list[str]:
    """Return the frequencies with fewer mails than the reader had, the fewest first."""
    if subscription.confirmed_at is None:
        return []
    rhythm = rhythms([subscription.newsletter_id])[subscription.newsletter_id]
    order = [Frequency.WEEKLY, Frequency.WEEKDAYS, Frequency.DAILY]
    fewer = order[: order.index(Frequency(subscription.frequency))]
    return [frequency for frequency in fewer if frequency in rhythm.frequencies]


def _button_labels(newsletter: Newsletter) -> dict[str, str]:
    """Return the buttons' texts; the ledger stores the text of the one that was pressed."""
    name = {"newsletter": newsletter.name}
    return {
        Frequency.WEEKLY: gettext("Once a week: the best of the week"),
        Frequency.WEEKDAYS: gettext("Monday to Friday only"),
        "pause": gettext("A break from %(newsletter)s") % name,
        "all": gettext("Keep sending me %(newsletter)s") % name,
    }


def _resubscribe_token(subscription: Subscription) -> str:
    """Return a token if the reader has left just now, else "": others confirm by mail."""
    if not subscription.ended_at or subscription.ended_at < now() - JUST_NOW:
        return ""
    return signed_links.resubscribe_token(subscription, now=now())


def _today(subscription: Subscription) -> date:
    return now().astimezone(_zone(subscription)).date()


def _zone(subscription: Subscription) -> ZoneInfo:
    return timezones.first_valid(subscription.subscriber.timezone, subscription.newsletter.timezone)
