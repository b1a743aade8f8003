"""Gather what a reader's preferences page shows, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import get_language

from subscribers import signed_links
from subscribers.i18n import timezones
from subscribers.models import Newsletter, Section, Subscription
from subscribers.preferences import address_change
from subscribers.preferences.rhythm import Rhythm, rhythms
from subscribers.views.forms import ChoicesForm, PauseForm, PersonForm
from subscribers.views.posted_form import FormState

Status = Subscription.Status


class InvalidPart(Exception):
    """The input for one part of the page is invalid; that part says why."""

    def __init__(
        self, part: str, *, form: forms.Form | None = None, form_state: FormState | None = None
    ) -> None:
        super().__init__(part)
        self.part = part
        self.form = form
        self.form_state = form_state or FormState()


@dataclass(frozen=True)
class Card:
    """One newsletter that the reader has, had, or asked for."""

    subscription: Subscription
    choices: ChoicesForm
    pause: PauseForm
    # The day on which the mails begin again; None if there is no pause.
    paused_on: date | None
    # The city by whose clock the hour is chosen.
    city: str
    unsubscribe_url: str

    @property
    def part(self) -> str:
        return part_of(self.subscription)


def part_of(subscription: Subscription) -> str:
    return f"newsletter-{subscription.pk}"


def build_context(
    subscription: Subscription, *, invalid: InvalidPart | None, done: str, now: datetime
) -> dict[str, Any]:
    """Return the page's context; an invalid form is shown as it was sent."""
    reader = subscription.subscriber
    cards = _cards(subscription, invalid=invalid, now=now)
    taken = {card.subscription.newsletter_id for card in cards}
    others = Newsletter.objects.filter(is_listed=True).exclude(pk__in=taken)
    person_form = invalid.form if invalid and isinstance(invalid.form, PersonForm) else None
    zone = timezones.first_valid(reader.timezone, subscription.newsletter.timezone)
    return {
        "newsletter": subscription.newsletter,
        "reader": reader,
        "cards": cards,
        "others": others,
        "newsletters": [*(card.subscription.newsletter for card in cards), *others],
        "active": sum(card.subscription.status == Status.ACTIVE for card in cards),
        "person_form": person_form or PersonForm(reader=reader),
        "current_zone": zone.key,
        "pause_all": _pause(invalid, "all", now.astimezone(zone).date()),
        "change": address_change.find_open(subscriber_id=reader.pk, now=now),
        "invalid": invalid,
        "done": done,
    }


def _cards(subscription: Subscription, *, invalid: InvalidPart | None, now: datetime) -> list[Card]:
    sections = Prefetch("newsletter__sections", queryset=Section.objects.all())
    found = list(
        subscription.subscriber.subscriptions.filter(moved_to=None)
        .select_related("newsletter")
        .prefetch_related(sections)
    )
    order = {Status.ACTIVE: 0, Status.PENDING: 1, Status.UNSUBSCRIBED: 2}
    # The newsletter whose mail brought the reader here stands first.
    found.sort(
        key=lambda each: (
            each.pk != subscription.pk, order[Status(each.status)], each.newsletter.name,
        )
    )  # fmt: skip
    rhythm_of = rhythms([each.newsletter_id for each in found])
    return [
        _card(each, rhythm_of[each.newsletter_id], subscription, invalid, now) for each in found
    ]


def _card(
    subscription: Subscription,
    rhythm: Rhythm,
    linked: Subscription,
    invalid: InvalidPart | None,
    now: datetime,
) -> Card:
    reader = subscription.subscriber = linked.subscriber
    zone = timezones.first_valid(reader.timezone, subscription.newsletter.timezone)
    paused_until = subscription.paused_until
    is_paused = paused_until is not None and paused_until > now
    part = part_of(subscription)
    invalid_form = invalid.form if invalid and invalid.part == part else None
    choices = invalid_form if isinstance(invalid_form, ChoicesForm) else None
    return Card(
        subscription=subscription,
        choices=choices or ChoicesForm(subscription=subscription, rhythm=rhythm),
        pause=_pause(invalid, part, now.astimezone(zone).date()),
        paused_on=paused_until.astimezone(zone).date() if paused_until and is_paused else None,
        city=timezones.city(zone.key, get_language() or settings.LANGUAGE_CODE),
        unsubscribe_url=reverse(
            "unsubscribe", args=[signed_links.unsubscribe_token(subscription.pk)]
        ),
    )


def _pause(invalid: InvalidPart | None, part: str, today: date) -> PauseForm:
    if invalid and invalid.part == part and isinstance(invalid.form, PauseForm):
        return invalid.form
    return PauseForm(today=today)
