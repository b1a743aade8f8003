"""Show all that a reader may choose on one page, and save each part of it by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.utils.translation import gettext

from subscribers.addresses.address import BadAddress
from subscribers.consent.record import Origin
from subscribers.i18n import languages, timezones
from subscribers.models import Newsletter, Subscription
from subscribers.preferences import address_change, choices, leaving
from subscribers.preferences.rhythm import rhythms
from subscribers.signup import flow
from subscribers.signup.abuse import Attempt
from subscribers.views.forms import ChoicesForm, PauseForm, PersonForm
from subscribers.views.link_access import bad_link, preferences_subscription, signed_link
from subscribers.views.origin import origin_of
from subscribers.views.posted_form import FormState, attempt_of, email_of
from subscribers.views.preference_page import InvalidPart, build_context, part_of


@dataclass(frozen=True)
class Submission:
    """What the reader sent, and from where."""

    request: HttpRequest
    subscription: Subscription
    origin: Origin
    now: datetime = field(default_factory=now)

    @property
    def target(self) -> Subscription:
        """The subscription that the form is about; it may be any of this reader's."""
        theirs = self.subscription.subscriber.subscriptions.select_related("newsletter")
        number = self.request.POST.get("subscription", "")
        if not (number.isdecimal() and len(number) < 19):
            raise Http404
        found = get_object_or_404(theirs, pk=int(number))
        found.subscriber = self.subscription.subscriber
        return found

    @property
    def all_active(self) -> list[int]:
        theirs = self.subscription.subscriber.subscriptions
        return list(
            theirs.filter(status=Subscription.Status.ACTIVE)
            .order_by("pk")
            .values_list("pk", flat=True)
        )


@signed_link
def preferences_page(request: HttpRequest, token: str) -> HttpResponse:
    subscription = preferences_subscription(token)
    if subscription is None:
        return bad_link(request)
    languages.activate_for(request, subscription=subscription)
    invalid = None
    if request.method == "POST":
        submission = Submission(request, subscription, origin_of(request, token))
        try:
            part = ACTIONS.get(request.POST.get("do", ""), _unknown_action)(submission)
        except InvalidPart as error:
            invalid = error
        else:
            # With the fragment, a reader without JavaScript need not scroll down to the part.
            return redirect(f"{request.path}?done={part}#{part}")
    page = build_context(subscription, invalid=invalid, done=request.GET.get("done", ""), now=now())
    return render(request, "subscribers/preferences.html", {**page, "token": token})


def _set_choices(submission: Submission) -> str:
    subscription = submission.target
    rhythm = rhythms([subscription.newsletter_id])[subscription.newsletter_id]
    form = ChoicesForm(submission.request.POST, subscription=subscription, rhythm=rhythm)
    part = part_of(subscription)
    _check(form, part)
    choices.set_choices(
        subscription_id=subscription.pk,
        choices=form.choices(),
        origin=submission.origin,
        now=submission.now,
    )
    return part


def _pause(submission: Submission) -> str:
    subscription = submission.target
    _pause_these(submission, [subscription.pk], subscription, part_of(subscription))
    return part_of(subscription)


def _pause_all(submission: Submission) -> str:
    _pause_these(submission, submission.all_active, submission.subscription, "all")
    return "all"


def _pause_these(
    submission: Submission, ids: list[int], subscription: Subscription, part: str
) -> None:
    zone = timezones.first_valid(subscription.subscriber.timezone, subscription.newsletter.timezone)
    form = PauseForm(submission.request.POST, today=submission.now.astimezone(zone).date())
    _check(form, part)
    choices.pause(
        subscription_ids=ids,
        until=form.midnight(zone),
        origin=submission.origin,
        now=submission.now,
    )


def _resume(submission: Submission) -> str:
    subscription = submission.target
    choices.pause(
        subscription_ids=[subscription.pk], until=None, origin=submission.origin, now=submission.now
    )
    return part_of(subscription)


def _unsubscribe_all(submission: Submission) -> str:
    seen = gettext("Unsubscribe from all newsletters")
    for subscription_id in submission.all_active:
        leaving.unsubscribe(
            subscription_id=subscription_id, origin=submission.origin, seen=seen, now=submission.now
        )
    return "all"


def _sign_up(submission: Submission) -> str:
    """Sign up for another newsletter, or again; like every sign-up it is confirmed by mail."""
    slug = submission.request.POST.get("newsletter", "")
    if "\0" in slug:  # PostgreSQL refuses to look for it
        raise Http404
    newsletter = get_object_or_404(Newsletter, slug=slug)
    try:
        flow.sign_up(
            newsletter=newsletter,
            email=submission.subscription.subscriber.email,
            # The link was sent to this very address, and a bot finds no form to fill in.
            attempt=Attempt(trusted=True, address_confirmed=True),
            origin=submission.origin,
            now=submission.now,
        )
    except BadAddress as error:
        raise InvalidPart("more", form_state=FormState(error=gettext(str(error)))) from None
    found = newsletter.subscriptions.filter(
        subscriber=submission.subscription.subscriber_id
    ).first()
    return part_of(found) if found else "more"


def _set_locale(submission: Submission) -> str:
    form = PersonForm(submission.request.POST, reader=submission.subscription.subscriber)
    _check(form, "you")
    choices.set_locale(
        subscription_id=submission.subscription.pk,
        language=form.cleaned_data["language"],
        timezone=form.cleaned_data["timezone"],
        origin=submission.origin,
        now=submission.now,
    )
    return "you"


def _change_address(submission: Submission) -> str:
    typed = email_of(submission.request)
    try:
        address_change.request_change(
            subscription_id=submission.subscription.pk,
            email=typed,
            address_confirmed=attempt_of(submission.request).address_confirmed,
            origin=submission.origin,
            now=submission.now,
        )
    except BadAddress as error:
        form_state = FormState(typed, gettext(str(error)), error.suggestion, error.may_insist)
    except address_change.SameAddress:
        form_state = FormState(typed, gettext("That is the address that we write to already."))
    except address_change.TooManyChanges:
        message = gettext(
            "You have asked for several new addresses today. Please try again tomorrow."
        )
        form_state = FormState(typed, message)
    else:
        return "address"
    raise InvalidPart("address", form_state=form_state)


def _cancel_address_change(submission: Submission) -> str:
    address_change.cancel_open(
        subscriber_id=submission.subscription.subscriber_id, now=submission.now
    )
    return "address"


def _unknown_action(submission: Submission) -> str:
    raise Http404


def _check(form: forms.Form, part: str) -> None:
    if not form.is_valid():
        raise InvalidPart(part, form=form)


ACTIONS: dict[str, Callable[[Submission], str]] = {
    "choices": _set_choices,
    "pause": _pause,
    "pause-all": _pause_all,
    "resume": _resume,
    "leave-all": _unsubscribe_all,
    "join": _sign_up,
    "person": _set_locale,
    "move": _change_address,
    "stay": _cancel_address_change,
}
