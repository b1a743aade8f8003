"""Every page that a reader can open and every mail that a reader can get."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import timezone, translation

from subscribers import signed_links
from subscribers.consent.record import Origin, record_consent
from subscribers.models import Consent, Newsletter, RequestedMail, Subscription
from subscribers.preferences import address_change, requested_mail
from subscribers.preferences.data_request import request_data_link
from subscribers.preferences.link_request import request_link
from subscribers.signup import confirmation_mail
from subscribers.signup.abuse import Attempt
from tests import factories


def newsletter(**fields: Any) -> Newsletter:
    """Make a newsletter with everything that its pages can show.

    The newsroom's own texts are digits, so that every letter on a page is the product's.
    """
    defaults = {
        "name": "1 2 3",
        "slug": "daily",
        "promise": "4 5 6.",
        "description": "7\n\n8",
        "postal_address": "9",
        "timezone": "Europe/London",
    }
    newsletter = factories.newsletter(**defaults | fields)
    factories.schedule(newsletter)
    edition = factories.edition(newsletter, stories=0, subject="13")
    for n in (10, 11, 12):
        section = factories.section(newsletter, name=f"{n}")
        story = factories.story(newsletter, title="14", summary="15", source_name="16")
        factories.item(edition, story, section=section)
    factories.publish(edition)
    return newsletter


def readers(newsletter: Newsletter, language: str) -> dict[str, Subscription]:
    """Make a reader of each kind, who chose this language."""
    kinds: dict[str, dict[str, Any]] = {
        "active": {},
        "pending": {"status": "pending", "confirmed_at": None},
        "unsubscribed": {"status": "unsubscribed", "ended_at": timezone.now()},
    }
    made = {}
    for kind, fields in kinds.items():
        made[kind] = factories.subscription(newsletter, f"{kind}@example.com", **fields)
        made[kind].subscriber.language = language
        made[kind].subscriber.save(update_fields=["language"])
    for kind in Consent.Kind.values:
        record_consent(
            subscription_id=made["active"].pk,
            newsletter=newsletter,
            kind=kind,
            origin=Origin(language=language),
            details={"frequency": {"from": "daily", "to": "weekly"}},
            now=timezone.now(),
        )
    return made


def pages(newsletter: Newsletter, readers: dict[str, Subscription]) -> dict[str, str]:
    """Return the path of each page by a name for it."""
    active, pending, unsubscribed = readers["active"], readers["pending"], readers["unsubscribed"]
    long_ago = timezone.now() - timedelta(hours=73)
    with translation.override(active.subscriber.language):
        change = address_change.request_change(
            subscription_id=active.pk,
            email="elsewhere@example.com",
            address_confirmed=True,
            now=timezone.now(),
        )

    def change_path(side: str, now: datetime) -> str:
        return reverse(
            "address-change", args=[signed_links.address_change_token(change.pk, side, now=now)]
        )

    return {
        "home": reverse("home"),
        "newsletter": newsletter.get_absolute_url(),
        "check-your-inbox": reverse("signup-done", args=[newsletter.slug]),
        "confirm": reverse("confirm", args=[signed_links.confirm_token(pending)]),
        "confirmed": reverse("confirm", args=[signed_links.confirm_token(active)]),
        "expired": reverse("confirm", args=[signed_links.confirm_token(pending, now=long_ago)]),
        "bad-link": reverse("confirm", args=["nothing"]),
        "preferences": preferences(active),
        "preferences-pending": preferences(pending),
        "preferences-unsubscribed": preferences(unsubscribed),
        "unsubscribe": unsubscribe(active),
        "unsubscribe-broken": reverse("unsubscribe-broken", args=[""]),
        "unsubscribed": unsubscribe(unsubscribed),
        "data-request": f"{preferences(active)}data/",
        "data-request-asked": f"{preferences(active)}data/?asked=1",
        "data-request-expired": f"{preferences(active)}data/?expired=1",
        "data-export": own_data(active),
        "embed-frame": reverse("embed-frame", args=[newsletter.slug]),
        "preferences-saved": f"{preferences(active)}?done=you",
        "erase": own_data(active, "erase-me"),
        "lost-link": reverse("lost-link"),
        "lost-link-sent": reverse("lost-link-sent"),
        "address-change-old": change_path("old", timezone.now()),
        "address-change-new": change_path("new", timezone.now()),
        "address-change-expired": change_path("new", long_ago),
        "unknown": "/nothing/at/all/",
    }


def in_language(path: str, language: str) -> str:
    """Return the path with the query that the language switch at the foot of a page adds."""
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


def preferences(subscription: Subscription) -> str:
    return reverse("preferences", args=[signed_links.preferences_token(subscription)])


def own_data(subscription: Subscription, name: str = "data-export") -> str:
    return reverse(name, args=[signed_links.data_token(subscription, now=timezone.now())])


def unsubscribe(subscription: Subscription) -> str:
    return reverse("unsubscribe", args=[signed_links.unsubscribe_token(subscription.pk)])


def mails(readers: dict[str, Subscription]) -> dict[str, EmailMultiAlternatives]:
    """Return each mail that a reader can get by its kind. This needs the locmem mail backend."""
    sent = {}
    for kind in Subscription.Mail.values:
        reader = readers["pending" if kind in {"confirm", "reminder"} else "active"]
        Subscription.objects.filter(pk=reader.pk).update(mail_kind=kind, mail_due_at=timezone.now())
        sent |= _sent(kind, lambda pk=reader.pk: _confirmation(pk))
    active = readers["active"]
    address_change.request_change(
        subscription_id=active.pk,
        email="elsewhere@example.com",
        address_confirmed=True,
        now=timezone.now(),
    )
    request_data_link(subscription_id=active.pk, now=timezone.now())
    request_link(email=active.subscriber.email, attempt=Attempt(trusted=True), now=timezone.now())
    for requested in RequestedMail.objects.exclude(due_at=None):
        sent |= _sent(requested.kind, lambda pk=requested.pk: _requested_mail(pk))
    return sent


def _sent(kind: str, send: Callable[[], object]) -> dict[str, EmailMultiAlternatives]:
    mail.outbox.clear()
    send()
    return {kind: mail.outbox[0]} if mail.outbox else {}


def _confirmation(pk: int) -> None:
    confirmation_mail.send_if_due(pk, now=timezone.now())


def _requested_mail(pk: int) -> None:
    requested_mail.send_if_due(pk, now=timezone.now())
