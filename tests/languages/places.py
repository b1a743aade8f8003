"""Every page and mail that a reader can come to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import timezone

from subscribers import confirmation, consent, tokens
from subscribers.consent import Origin
from subscribers.models import Consent, Newsletter, Subscription
from tests import factories


def newsletter(**fields: Any) -> Newsletter:
    """One with all that its pages can show; what is the newsroom's own has no letters."""
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
    """One of each kind, who chose this language."""
    kinds: dict[str, dict[str, Any]] = {
        "active": {},
        "pending": {"status": "pending", "confirmed_at": None},
        "left": {"status": "unsubscribed", "ended_at": timezone.now()},
    }
    made = {}
    for kind, fields in kinds.items():
        made[kind] = factories.subscription(newsletter, f"{kind}@example.com", **fields)
        made[kind].subscriber.language = language
        made[kind].subscriber.save(update_fields=["language"])
    for kind in Consent.Kind.values:
        consent.record(
            subscription_id=made["active"].pk,
            newsletter=newsletter,
            kind=kind,
            origin=Origin(language=language),
            details={"frequency": {"from": "daily", "to": "weekly"}},
            now=timezone.now(),
        )
    return made


def pages(newsletter: Newsletter, readers: dict[str, Subscription]) -> dict[str, str]:
    """The paths of the pages, by what they are."""
    active, pending, left = readers["active"], readers["pending"], readers["left"]
    long_ago = timezone.now() - timedelta(hours=73)

    def preferences(subscription: Subscription) -> str:
        return reverse("preferences", args=[tokens.preferences_token(subscription.pk)])

    def unsubscribe(subscription: Subscription) -> str:
        return reverse("unsubscribe", args=[tokens.unsubscribe_token(subscription.pk)])

    return {
        "home": reverse("home"),
        "newsletter": newsletter.get_absolute_url(),
        "check-your-inbox": reverse("signup-done", args=[newsletter.slug]),
        "confirm": reverse("confirm", args=[tokens.confirm_token(pending)]),
        "confirmed": reverse("confirm", args=[tokens.confirm_token(active)]),
        "expired": reverse("confirm", args=[tokens.confirm_token(pending, now=long_ago)]),
        "bad-link": reverse("confirm", args=["nothing"]),
        "preferences": preferences(active),
        "preferences-pending": preferences(pending),
        "preferences-left": preferences(left),
        "unsubscribe": unsubscribe(active),
        "unsubscribe-unknown": reverse("unsubscribe", args=["nobody"]),
        "unsubscribed": unsubscribe(left),
        "dossier": reverse("dossier", args=[tokens.preferences_token(active.pk)]),
        "embed-frame": reverse("embed-frame", args=[newsletter.slug]),
        "unknown": "/nothing/at/all/",
    }


def mails(readers: dict[str, Subscription]) -> dict[str, EmailMultiAlternatives]:
    """Each mail that a subscription can get, by its kind; needs a mailbox in memory."""
    sent = {}
    for kind in Subscription.Mail.values:
        reader = readers["pending" if kind in {"confirm", "reminder"} else "active"]
        Subscription.objects.filter(pk=reader.pk).update(mail_kind=kind, mail_due_at=timezone.now())
        mail.outbox.clear()
        confirmation.send_due(subscription_id=reader.pk, now=timezone.now())
        if mail.outbox:
            sent[kind] = mail.outbox[0]
    return sent
