"""Gather everything that is stored about one reader."""

from __future__ import annotations

import json
from datetime import datetime
from operator import itemgetter
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Max, Q, QuerySet

from subscribers import signals
from subscribers.consent import merged, suppression
from subscribers.models import (
    AddressChange,
    Consent,
    RequestedMail,
    Section,
    Subscriber,
    Subscription,
)

Mail = Subscription.Mail


def export(*, subscriber_id: int) -> dict[str, Any]:
    """Return the reader's data export in types that JSON has; times are ISO 8601, in UTC.

    Raises:
        Subscriber.DoesNotExist: no such reader.
    """
    gathered = gather(subscriber_id=subscriber_id)
    return json.loads(json.dumps(gathered, cls=DjangoJSONEncoder))  # type: ignore[no-any-return]


def gather(*, subscriber_id: int) -> dict[str, Any]:
    """Return the same with `datetime` objects, for a page; each chapter has the newest first."""
    subscriber = Subscriber.objects.get(pk=subscriber_id)
    theirs = merged.subscription_ids_of(subscriber_id)
    subscriptions = _with_last_sign_up(theirs)
    contents: dict[str, Any] = {
        "person": _person(subscriber),
        "subscriptions": _subscriptions(subscriptions),
        "consents": _consents(theirs),
        "address_changes": _address_changes(subscriber),
        "subscription_mails": _subscription_mails(subscriptions),
        "requested_mails": _requested_mails(subscriber),
        "suppression": _suppression(subscriber),
    }
    answers: Any = signals.data_export_requested.send(
        sender=Subscriber, subscriber_id=subscriber_id
    )
    for _, chapters in answers:
        contents |= chapters
    return contents


def _person(subscriber: Subscriber) -> dict[str, Any]:
    return {
        "email": subscriber.email,
        "email_as_typed": subscriber.email_as_typed or subscriber.email,
        "name": subscriber.name,
        "language": subscriber.language,
        "timezone": subscriber.timezone,
        "created_at": subscriber.created_at,
        "erased_at": subscriber.erased_at,
    }


def _with_last_sign_up(subscription_ids: list[int]) -> list[Any]:
    """Return the subscriptions, with `asked_at`: when somebody last signed up for each."""
    last = Max("consents__created_at", filter=Q(consents__kind=Consent.Kind.SIGNUP))
    found = Subscription.objects.filter(pk__in=subscription_ids).annotate(asked_at=last)
    return list(found.select_related("newsletter").order_by("-created_at", "-pk"))


def _subscriptions(found: list[Any]) -> list[dict[str, Any]]:
    muted = {section for subscription in found for section in subscription.muted_sections}
    names = dict(Section.objects.filter(pk__in=muted).values_list("pk", "name"))
    return [_subscription(subscription, names) for subscription in found]


def _subscription(subscription: Subscription, names: dict[int, str]) -> dict[str, Any]:
    return {
        "newsletter": subscription.newsletter.name,
        "status": subscription.status,
        "frequency": subscription.frequency,
        "muted_sections": [names[pk] for pk in subscription.muted_sections if pk in names],
        "paused_until": subscription.paused_until,
        "preferred_time": subscription.preferred_time,
        "wants_extras": subscription.wants_extras,
        "signed_up_on": subscription.source,
        "signed_up_at": subscription.created_at,
        "confirmed_at": subscription.confirmed_at,
        "ended_at": subscription.ended_at,
        "ended_why": subscription.ended_why,
        "last_mail_at": subscription.mail_sent_at,
        "reminded_at": subscription.reminded_at,
    }


def _consents(subscriptions: list[int]) -> list[dict[str, Any]]:
    entries: QuerySet[Consent] = (
        Consent.objects.filter(subscription__in=subscriptions)
        .select_related("subscription__newsletter")
        .order_by("-created_at", "-pk")
    )
    return [
        {
            "at": entry.created_at,
            "newsletter": entry.subscription.newsletter.name,
            "kind": entry.kind,
            "wording": entry.wording,
            "wording_version": entry.wording_version,
            "page": entry.page,
            "language": entry.language,
            "ip_address": entry.ip_address,
            "user_agent": entry.user_agent,
            "details": entry.details,
        }
        for entry in entries
    ]


def _address_changes(subscriber: Subscriber) -> list[dict[str, Any]]:
    """Return the changes of address that the reader asked for, done or not, while they are kept."""
    fields = ("email", "email_as_typed", "status", "old_agreed_at", "new_agreed_at", "ended_at")
    rows = AddressChange.objects.filter(subscriber=subscriber).order_by("-created_at", "-pk")
    return [{"asked_at": row.pop("created_at")} | row for row in rows.values("created_at", *fields)]


def _subscription_mails(found: list[Any]) -> list[dict[str, Any]]:
    """Return the confirmation mail, the reminder and the welcome of each subscription.

    A subscription stores when it was last sent a mail, and not each mail. So a mail that was asked
    for before that time counts as sent, and `at` of the first two is when it became due.
    """
    mails = [
        {"newsletter": row.newsletter.name} | mail
        for row in found
        for mail in _mails_of(row, asked_at=row.asked_at)
    ]
    return sorted(mails, key=itemgetter("at"), reverse=True)


def _mails_of(row: Subscription, *, asked_at: datetime | None) -> list[dict[str, Any]]:
    sent_at, mails = row.mail_sent_at, []
    if asked_at is None and row.source == Subscription.FROM_LIST and (row.mail_due_at or sent_at):
        asked_at = row.created_at
    for kind, at in ((Mail.CONFIRM, asked_at), (Mail.REMINDER, row.reminded_at)):
        if at:
            is_sent = sent_at is not None and sent_at >= at
            waits = row.mail_due_at is not None and row.mail_kind == kind
            status = "sent" if is_sent else "pending" if waits else "skipped"
            mails.append({"kind": str(kind), "at": at, "status": status})
    if (
        row.mail_kind == Mail.WELCOME
        and sent_at
        and row.confirmed_at
        and sent_at > row.confirmed_at
    ):
        mails.append({"kind": str(Mail.WELCOME), "at": sent_at, "status": "sent"})
    return mails


def _requested_mails(subscriber: Subscriber) -> list[dict[str, Any]]:
    """Return the mails requested on a page: to the reader's address, or about a change of it."""
    about_theirs = Q(email_key=subscriber.email_key) | Q(change__subscriber=subscriber)
    rows = RequestedMail.objects.filter(about_theirs).order_by("-asked_at", "-pk")
    return [
        {
            "kind": row.kind,
            "to": row.email_key,
            "asked_at": row.asked_at,
            "due_at": row.due_at,
            "outcome": row.outcome,
        }
        for row in rows
    ]


def _suppression(subscriber: Subscriber) -> dict[str, Any] | None:
    entry = suppression.entry_of(subscriber.email)
    if entry is None:
        return None
    return {
        "reason": entry.reason,
        "detail": entry.detail,
        "since": entry.created_at,
        "as_a_hash": suppression.is_hash(entry),
    }
