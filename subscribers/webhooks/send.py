"""Post due events to each webhook, and retry with growing pauses those that did not arrive."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from subscribers.models import Webhook, WebhookAttempt, WebhookDelivery
from subscribers.web.post import DestinationPolicy, PostFailed, PostResponse, post
from subscribers.web.retry_after import retry_after
from subscribers.webhooks import erasure, signature

logger = logging.getLogger(__name__)

State = WebhookDelivery.State

# The pauses after each failed attempt, three days in all. A receiver that is being deployed is back
# in minutes; one that broke on Friday evening is repaired on Monday.
RETRY_DELAYS = (
    *(timedelta(seconds=s) for s in (20, 60)),
    *(timedelta(minutes=m) for m in (5, 30)),
    *(timedelta(hours=h) for h in (2, 5, 10, 14, 20, 22)),
)
# Longer than one post may take (web.post.SECONDS).
LEASE = timedelta(seconds=60)
# After this time the worker turns to another webhook; the tick comes back to this one.
MAX_RUN = timedelta(seconds=30)
# A webhook is switched off if nothing has arrived for DISABLE_AFTER and in DISABLE_AFTER_FAILURES
# attempts. That is more attempts than one event gets, because a receiver may refuse a single event
# each time. If there was no failure for DISABLE_AFTER, the count begins again: two bad hours of a
# newsletter that comes rarely must not add up.
DISABLE_AFTER = timedelta(days=5)
DISABLE_AFTER_FAILURES = 20
USER_AGENT = "Daybreak (webhooks)"


def due_webhooks(*, now: datetime) -> list[int]:
    """Return the ids of active webhooks that have due events, the longest waiting first."""
    due = _due(now).filter(webhook__is_active=True).exclude(webhook__busy_until__gt=now)
    ids = due.order_by("next_attempt_at").values_list("webhook_id", flat=True)
    return list(dict.fromkeys(ids[:10_000]))


def send_to_webhook(*, webhook_id: int, clock: Callable[[], datetime]) -> int:
    """Send the due events of this webhook one after the other; return how many arrived.

    Only one worker at a time sends to a webhook. If the receiver is down or overloaded, this stops
    at the first event that does not arrive: the rest would only wait for the same timeout.
    """
    started, arrived = clock(), 0
    if not _lease(webhook_id, now=started):
        return 0
    try:
        while (now := clock()) < started + MAX_RUN:
            delivery = _claim(webhook_id, now=now)
            if delivery is None or not (result := _attempt(delivery, clock)).may_continue:
                break
            arrived += result.arrived
    finally:
        Webhook.objects.filter(pk=webhook_id).update(busy_until=None)
    return arrived


@dataclass(frozen=True)
class _AttemptResult:
    """Whether the event arrived, and whether the receiver is well enough for the next one."""

    arrived: bool
    may_continue: bool


def _due(now: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(state=State.WAITING, next_attempt_at__lte=now)


def _lease(webhook_id: int, *, now: datetime) -> bool:
    free = Q(busy_until=None) | Q(busy_until__lte=now)
    mine = Webhook.objects.filter(free, pk=webhook_id, is_active=True)
    return bool(mine.update(busy_until=now + MAX_RUN + LEASE))


def _claim(webhook_id: int, *, now: datetime) -> WebhookDelivery | None:
    """Return the next due event and move its time on, so that it is due again after a crash."""
    due = _due(now).filter(webhook_id=webhook_id, webhook__is_active=True)
    delivery = due.select_related("webhook").order_by("next_attempt_at", "pk").first()
    if delivery is None:
        return None
    mine = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=State.WAITING, next_attempt_at=delivery.next_attempt_at
    )
    return delivery if mine.update(next_attempt_at=now + LEASE) else None


def _attempt(delivery: WebhookDelivery, clock: Callable[[], datetime]) -> _AttemptResult:
    webhook, now = delivery.webhook, clock()
    keys = [webhook.secret]
    if webhook.old_secret and webhook.old_secret_until and now < webhook.old_secret_until:
        keys.append(webhook.old_secret)
    signed = signature.headers(
        message_id=delivery.message_id, secrets=keys, body=delivery.payload, now=now
    )
    response: PostResponse | None = None
    error = ""
    try:
        response = post(
            webhook.url,
            delivery.payload.encode(),
            headers={"Content-Type": "application/json", "User-Agent": USER_AGENT, **signed},
            policy=DestinationPolicy(settings.WEBHOOK_ALLOW_HOSTS),
        )
    except PostFailed as failed:
        error = str(failed)
    return _record(delivery, response, error, began=now, now=clock())


@transaction.atomic
def _record(
    delivery: WebhookDelivery,
    response: PostResponse | None,
    error: str,
    *,
    began: datetime,
    now: datetime,
) -> _AttemptResult:
    status = response.status if response else None
    arrived = status is not None and 200 <= status < 300
    if status is not None and 300 <= status < 400:
        error = "It redirects; give its final address instead."
    # If the row is gone, its reader was erased while the event was on the wire. Then nothing of it
    # may be kept.
    if WebhookDelivery.objects.select_for_update().filter(pk=delivery.pk).first():
        WebhookAttempt.objects.create(
            delivery=delivery,
            at=began,
            milliseconds=response.milliseconds if response else _milliseconds(began, now),
            status=status,
            answer=response.text[:500] if response else "",
            error=error[:300],
        )
        _settle(delivery, response, arrived=arrived, now=now)
    if arrived:
        _record_success(delivery.webhook_id, now=now)
        return _AttemptResult(arrived=True, may_continue=True)
    _record_failure(delivery.webhook_id, status, error, now=now)
    # A 4xx is about this one event; 410, 429 and everything else are about the receiver.
    refused = status is not None and 400 <= status < 500
    return _AttemptResult(
        arrived=False,
        may_continue=refused and status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.GONE},
    )


def _settle(
    delivery: WebhookDelivery, response: PostResponse | None, *, arrived: bool, now: datetime
) -> None:
    attempts = delivery.attempts + 1
    next_attempt_at = None if arrived else _next_attempt_at(attempts, response, now=now)
    final_state = State.DELIVERED if arrived else State.FAILED
    WebhookDelivery.objects.filter(pk=delivery.pk, state=State.WAITING).update(
        state=State.WAITING if next_attempt_at else final_state,
        attempts=attempts,
        next_attempt_at=next_attempt_at,
        settled_at=None if next_attempt_at else now,
    )
    if arrived:
        erasure.anonymise_delivered(delivery_id=delivery.pk)


def _milliseconds(began: datetime, now: datetime) -> int:
    return (now - began) // timedelta(milliseconds=1)


def _next_attempt_at(
    attempts: int, response: PostResponse | None, *, now: datetime
) -> datetime | None:
    """Return when to try again after this many attempts, or None after the last one."""
    if attempts > len(RETRY_DELAYS):
        return None
    delay = RETRY_DELAYS[attempts - 1]
    # Up to a tenth is added, so that events which failed together do not come back together.
    next_attempt_at = now + delay + delay * (secrets.randbelow(1000) / 10_000)
    requested = retry_after(response.retry_after, now=now) if response else None
    return max(next_attempt_at, requested) if requested else next_attempt_at


def _record_success(webhook_id: int, *, now: datetime) -> None:
    Webhook.objects.filter(pk=webhook_id).update(
        last_success_at=now, failing_since=None, failures=0
    )


def _record_failure(webhook_id: int, status: int | None, error: str, *, now: datetime) -> None:
    """Record the failure; switch the webhook off on 410 Gone, or if it has failed for days."""
    webhook = Webhook.objects.filter(pk=webhook_id)
    is_first = (
        Q(failing_since=None) | Q(last_failure_at=None) | Q(last_failure_at__lt=now - DISABLE_AFTER)
    )
    webhook.filter(is_first).update(failing_since=now, failures=0)
    webhook.update(failures=F("failures") + 1, last_failure_at=now)
    if status == HTTPStatus.GONE:
        reason = "It answered 410 Gone."
    elif webhook.filter(
        failing_since__lte=now - DISABLE_AFTER, failures__gte=DISABLE_AFTER_FAILURES
    ).exists():
        reason = (
            f"Nothing has arrived for {DISABLE_AFTER.days} days. {error or f'It answers {status}.'}"
        )
    else:
        return
    if webhook.filter(is_active=True).update(is_active=False, off_because=reason[:300]):
        logger.error("Webhook %s is switched off. %s", webhook_id, reason)
