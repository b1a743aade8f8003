"""Webhooks, the events for them, and the outcome of each attempt to deliver one."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from subscribers.models.catalogue import Newsletter
from subscribers.models.fields import one_line
from subscribers.models.readers import Subscriber


class Event(models.TextChoices):
    """The events, by the names that receivers know."""

    SUBSCRIBED = "subscriber.subscribed", "A reader signs up (and has yet to confirm)"
    CONFIRMED = "subscriber.confirmed", "A reader confirms"
    UNSUBSCRIBED = "subscriber.unsubscribed", "A reader leaves"
    BOUNCED = "subscriber.bounced", "A reader's address bounces permanently"
    COMPLAINED = "subscriber.complained", "A reader reports us as spam"
    EDITION_SENT = "edition.sent", "An edition has been sent"


# The events that carry an address.
READER_EVENTS = tuple(event.value for event in Event if event.startswith("subscriber."))
# The event that the button "Send a test event" sends, whatever the webhook asked for.
TEST_EVENT = "webhook.test"


def new_secret() -> str:
    """Return `whsec_` and 32 random bytes in base64, the format of Standard Webhooks."""
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


class Webhook(models.Model):
    """A receiver's URL, to which events are posted."""

    name = models.CharField(max_length=80, validators=[one_line])
    url = models.URLField(
        "address", max_length=1000, help_text="Gets a POST with JSON for each event."
    )
    events = ArrayField(models.CharField(max_length=32, choices=Event))
    newsletter = models.ForeignKey(
        Newsletter,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        help_text="Empty: events of all newsletters.",
    )
    is_active = models.BooleanField("active", default=True)
    # In plain text, since each event is signed with it. Whoever may change webhooks may see it.
    secret = models.CharField(max_length=80, default=new_secret, editable=False)
    # Signs beside the new one until `old_secret_until`, so that a receiver can change over in its
    # own time.
    old_secret = models.CharField(max_length=80, blank=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    last_success_at = models.DateTimeField(null=True, editable=False)
    # Since when nothing has arrived, in how many attempts, and when the last of them was. After
    # some days and attempts the webhook is switched off, and `off_because` says why.
    failing_since = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    last_failure_at = models.DateTimeField(null=True, editable=False)
    # A worker leases the webhook while it sends, so that a slow receiver holds up only one worker.
    busy_until = models.DateTimeField(null=True, editable=False)
    off_because = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            # A receiver would wait forever for an event that is never emitted.
            models.CheckConstraint(
                condition=models.Q(
                    events__contained_by=[
                        "subscriber.subscribed", "subscriber.confirmed",
                        "subscriber.unsubscribed", "subscriber.bounced",
                        "subscriber.complained", "edition.sent",
                    ]
                ),
                name="webhook_events_known",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One event for one webhook: the intention to send it, and the outcome."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "given up"

    # "Send again" makes a settled delivery wait again.
    MOVES: ClassVar[dict[str, set[str]]] = {
        State.WAITING: {State.DELIVERED, State.FAILED},
        State.DELIVERED: {State.WAITING},
        State.FAILED: {State.WAITING},
    }

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=32, choices=[*Event.choices, (TEST_EVENT, "A test")])
    # The same at every attempt, so that a receiver can drop an event that it already has.
    message_id = models.CharField(max_length=40)
    # The bytes that are signed and sent: JSON, ASCII.
    payload = models.TextField()
    # The reader whom the event is about. What it says of them is deleted when they are erased.
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, null=True, related_name="+"
    )
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # A worker leases the intention by moving this forward, so a crash only delays the event.
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints = [
            # A delivery that waits has a time; without one it would wait forever.
            models.CheckConstraint(
                condition=models.Q(state="waiting", next_attempt_at__isnull=False)
                | models.Q(state__in=["delivered", "failed"], next_attempt_at__isnull=True),
                name="webhook_delivery_waits_for_a_time",
            ),
        ]
        indexes = [
            # webhooks.send: what is due, by webhook.
            models.Index(
                fields=["webhook", "next_attempt_at"],
                name="webhook_delivery_due",
                condition=models.Q(state="waiting"),
            ),
            # webhooks.log: deliveries that are old enough to be purged.
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} · {self.message_id}"


class WebhookAttempt(models.Model):
    """One attempt: what the receiver answered, or why there was no answer."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.CharField(
        max_length=500, blank=True, help_text="The beginning of the response body."
    )
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "try"
        verbose_name_plural = "tries"

    def __str__(self) -> str:
        return self.error or str(self.status)
