"""Store an event for the webhooks that want it, in the event's own transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from subscribers.models import Event, Section, Subscription, Webhook, WebhookDelivery
from subscribers.plumbing.queue import enqueue_named

# The task has to be called by its name, since the layer that sends stands above this one.
SEND_TASK = "subscribers.tasks.send_webhooks"
# How many seconds "there is no webhook at all" is cached: sign-ups are many, webhooks are few.
_MAX_AGE = 2.0


@dataclass
class _NoWebhooks:
    """The time until which this process assumes that there is no webhook at all."""

    until: float = 0.0


_no_webhooks = _NoWebhooks()


@receiver([post_save, post_delete], sender=Webhook)
def _clear(**_: Any) -> None:
    _no_webhooks.until = 0.0


def has_listeners(*, event: str, newsletter_id: int | None) -> bool:
    """Return whether a webhook wants the event, for callers that have to count something first."""
    return bool(_listeners(event, newsletter_id))


def emit(
    *,
    event: str,
    data: Mapping[str, Any],
    newsletter_id: int | None = None,
    subscriber_id: int | None = None,
    exclude: Collection[int] = (),
    now: datetime,
) -> int:
    """Store the event for every active webhook that asked for it; return how many those are.

    `subscriber_id` is the reader whom `data` is about: erasing them deletes the event. `exclude`
    holds ids of webhooks that are notified anyway.
    """
    return _store(
        [pk for pk in _listeners(event, newsletter_id) if pk not in exclude],
        event=event,
        data=data,
        subscriber_id=subscriber_id,
        now=now,
    )


def emit_for_subscription(
    *, event: str, subscription_id: int, extra: Mapping[str, Any] | None = None, now: datetime
) -> int:
    """Store an event about a subscription; return for how many webhooks.

    While there is no webhook at all, this costs no query, or a few every _MAX_AGE seconds. If the
    subscription has ended since the event, only its end is sent: a receiver that reads the events
    in their order would otherwise take the reader for subscribed again.
    """
    if time.monotonic() < _no_webhooks.until:
        return 0
    subscription = (
        Subscription.objects.select_related("subscriber", "newsletter")
        .filter(pk=subscription_id)
        .first()
    )
    if subscription is None:
        return 0
    if subscription.status == Subscription.Status.UNSUBSCRIBED and event != Event.UNSUBSCRIBED:
        return 0
    listeners = _listeners(event, subscription.newsletter_id)
    if not listeners:
        return 0
    with transaction.atomic():
        if not _is_still_there(subscription.subscriber_id):
            return 0
        return _store(
            listeners,
            event=event,
            data={"subscription": subscription_data(subscription), **(extra or {})},
            subscriber_id=subscription.subscriber_id,
            now=now,
        )


def emit_for_address(
    *, event: str, email_key: str, extra: Mapping[str, Any] | None = None, now: datetime
) -> int:
    """Store an event about an address, once for each of its subscriptions that has not ended."""
    if time.monotonic() < _no_webhooks.until:
        return 0
    not_ended = Subscription.objects.filter(subscriber__email_key=email_key).exclude(
        status=Subscription.Status.UNSUBSCRIBED
    )
    return sum(
        emit_for_subscription(event=event, subscription_id=pk, extra=extra, now=now)
        for pk in not_ended.order_by("pk").values_list("pk", flat=True)
    )


def subscription_data(subscription: Subscription) -> dict[str, Any]:
    """Return a subscription in the form that events have."""
    reader = subscription.subscriber
    muted = Section.objects.filter(pk__in=subscription.muted_sections) if (
        subscription.muted_sections
    ) else ()  # fmt: skip
    return {
        "id": subscription.pk,
        "newsletter": subscription.newsletter.slug,
        "status": subscription.status,
        "email": reader.email,
        "name": reader.name,
        "language": reader.language,
        "frequency": subscription.frequency,
        "muted_sections": [section.slug for section in muted],
        "source": subscription.source,
        "created_at": _time(subscription.created_at),
        "confirmed_at": _time(subscription.confirmed_at),
        "ended_at": _time(subscription.ended_at),
    }


def build_payload(*, event: str, data: Mapping[str, Any], now: datetime) -> str:
    """Return the payload in the format of Standard Webhooks.

    It is ASCII, so that its bytes and its text are the same.
    """
    return json.dumps(
        {"type": event, "timestamp": _time(now), "data": {**data, "site": settings.SITE_URL}},
        ensure_ascii=True,
    )


def new_message_id() -> str:
    return f"msg_{uuid4().hex}"


def _is_still_there(subscriber_id: int) -> bool:
    """Return whether the reader is not erased, and will not be before this transaction is over.

    An erasure does not delete events that are stored after it. FOR KEY SHARE is the lock that the
    foreign key takes at the commit; it waits for an erasure that is under way.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM subscribers_subscriber WHERE id = %s AND erased_at IS NULL FOR KEY SHARE",
            [subscriber_id],
        )
        return bool(cursor.rowcount)


def _listeners(event: str, newsletter_id: int | None) -> list[int]:
    if time.monotonic() < _no_webhooks.until:
        return []
    webhooks = list(Webhook.objects.filter(is_active=True).order_by("pk"))
    if not webhooks:
        _no_webhooks.until = time.monotonic() + _MAX_AGE
    return [
        webhook.pk
        for webhook in webhooks
        if event in webhook.events and webhook.newsletter_id in (None, newsletter_id)
    ]


def _store(
    webhooks: Sequence[int],
    *,
    event: str,
    data: Mapping[str, Any],
    subscriber_id: int | None,
    now: datetime,
) -> int:
    if not webhooks:
        return 0
    payload, message_id = build_payload(event=event, data=data, now=now), new_message_id()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            webhook_id=webhook_id,
            event=event,
            message_id=message_id,
            payload=payload,
            subscriber_id=subscriber_id,
            next_attempt_at=now,
            created_at=now,
        )
        for webhook_id in webhooks
    )
    for webhook_id in webhooks:
        enqueue_named(SEND_TASK, webhook_id=webhook_id)
    return len(webhooks)


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
