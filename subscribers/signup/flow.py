"""Accept a sign-up, send a fresh link, and confirm: what every surface calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from subscribers import signals, signed_links
from subscribers.addresses.address import compare_key, normalise
from subscribers.addresses.screening import ScreeningPolicy, screen
from subscribers.consent import suppression
from subscribers.consent.record import Origin, record_consent
from subscribers.models import Consent, Event, Newsletter, Subscription
from subscribers.plumbing.queue import enqueue_once
from subscribers.signup import abuse
from subscribers.signup.abuse import Attempt
from subscribers.signup.confirmation_mail import SEND_TASK
from subscribers.signup.enrol import Contact, enrol
from subscribers.webhooks.emit import emit_for_subscription

Status = Subscription.Status
BARE_ATTEMPT = Attempt()
# The lengths of the columns.
MAX_EMAIL_AS_TYPED, MAX_LANGUAGE = 320, 16


@dataclass(frozen=True)
class ConfirmResult:
    """The result of a confirmation; `is_repeat` if the subscription had been confirmed before."""

    subscription: Subscription
    is_repeat: bool


def sign_up(
    *,
    newsletter: Newsletter,
    email: str,
    origin: Origin,
    attempt: Attempt = BARE_ATTEMPT,
    now: datetime,
) -> None:
    """Store a pending subscription and the intention to mail its confirmation link.

    It returns nothing, and does about the same work for a new, a known and a suppressed address, so
    that nobody can find out who reads us. Whether a mail goes out, and which one, is decided when
    it is sent (subscribers.signup.confirmation_mail).

    Raises:
        BadAddress: the address cannot be written to, or is questionable (`may_insist`).
        ChallengeNeeded: many sign up now; the attempt has to be repeated with a solution.
        SentTooQuickly: the form has to be sent once more.
    """
    address = normalise(email)
    # A client that acts for a reader has nobody to ask.
    screen(
        address, policy=screening_policy(), confirmed=attempt.address_confirmed or attempt.trusted
    )
    key = compare_key(address)
    delay = abuse.judge(attempt, address_key=key, ip_address=origin.ip_address, now=now)
    if delay is None:
        return
    contact = Contact(
        email=address,
        email_key=key,
        email_as_typed=email[:MAX_EMAIL_AS_TYPED] if email != address else "",
        language=origin.language[:MAX_LANGUAGE],
    )
    enrol(newsletter=newsletter, contact=contact, origin=origin, delay=delay, now=now)
    enqueue_once(SEND_TASK)


def screening_policy() -> ScreeningPolicy:
    """Return what the settings say about questionable addresses."""
    return ScreeningPolicy(
        disposable=settings.SIGNUP_DISPOSABLE,
        roles=settings.SIGNUP_ROLE_ACCOUNTS,
        mixed_scripts=settings.SIGNUP_MIXED_SCRIPTS,
    )


def request_fresh_link(*, subscription_id: int, origin: Origin, now: datetime) -> None:
    """Do what signing up again would do, for the holder of an expired link.

    Raises:
        Subscription.DoesNotExist: it has been erased.
    """
    related = ("subscriber", "newsletter")
    subscription = Subscription.objects.select_related(*related).get(pk=subscription_id)
    reader, newsletter = subscription.subscriber, subscription.newsletter
    contact = Contact(email=reader.email, email_key=reader.email_key)
    enrol(newsletter=newsletter, contact=contact, origin=origin, now=now)
    enqueue_once(SEND_TASK)


def confirm(*, token: str, origin: Origin, now: datetime) -> ConfirmResult:
    """Activate the subscription that the link stands for; a second time is harmless.

    Raises:
        BadToken: the link is not ours, or its subscription has been erased.
        ExpiredToken: the link is too old, or belongs to an earlier sign-up than the newest.
    """
    subscription = find_by_token(token=token, now=now)
    with transaction.atomic():
        confirmed = Subscription.objects.filter(
            pk=subscription.pk, status=Status.PENDING, generation=subscription.generation
        ).update(
            status=Status.ACTIVE,
            confirmed_at=now,
            ended_at=None,
            mail_kind=Subscription.Mail.WELCOME,
            mail_due_at=now,
        )
        subscription.refresh_from_db(fields=["status", "confirmed_at"])
        if not confirmed:
            if subscription.status != Status.ACTIVE:
                raise signed_links.ExpiredToken(subscription_id=subscription.pk)
            return ConfirmResult(subscription=subscription, is_repeat=True)
        suppression.lift_after_confirmation(subscription.subscriber.email)
        record_consent(
            subscription_id=subscription.pk,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.CONFIRMATION,
            origin=origin,
            now=now,
        )
        emit_for_subscription(event=Event.CONFIRMED, subscription_id=subscription.pk, now=now)
        enqueue_once(SEND_TASK)
        transaction.on_commit(
            lambda: signals.subscription_confirmed.send(
                sender=Subscription, subscription_id=subscription.pk, now=now
            )
        )
    return ConfirmResult(subscription=subscription, is_repeat=False)


def find_by_token(*, token: str, now: datetime) -> Subscription:
    """Return the subscription that a confirmation link stands for, and change nothing.

    An active subscription is found by any of its links, however old: there is nothing left to
    confirm.

    Raises:
        BadToken, ExpiredToken: as in `confirm`.
    """
    expired: signed_links.ExpiredToken | None = None
    generation = None
    try:
        link = signed_links.read_confirm(token, now=now)
        subscription_id, generation = link.subscription_id, link.generation
    except signed_links.ExpiredToken as error:
        expired, subscription_id = error, error.subscription_id
    subscription = (
        Subscription.objects.select_related("newsletter", "subscriber")
        .filter(pk=subscription_id, subscriber__erased_at=None)
        .first()
    )
    if subscription is None:
        raise signed_links.BadToken
    if subscription.status == Status.ACTIVE:
        return subscription
    if expired or generation != subscription.generation or subscription.status != Status.PENDING:
        raise expired or signed_links.ExpiredToken(subscription_id=subscription.pk)
    return subscription
