"""Who reads us, and what they subscribed to."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from subscribers.models.catalogue import Newsletter
from subscribers.models.fields import one_line, validate_timezone


class Subscriber(models.Model):
    """A person's address; what they receive hangs on their subscriptions."""

    email = models.EmailField(max_length=254, help_text="As the reader wrote it, normalised.")
    email_key = models.CharField(
        max_length=254,
        unique=True,
        editable=False,
        help_text="What two spellings of one address have in common (addresses.compare_key).",
    )
    name = models.CharField(max_length=120, blank=True, validators=[one_line])
    language = models.CharField(max_length=16, blank=True)
    timezone = models.CharField(max_length=64, blank=True, validators=[validate_timezone])
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # An address goes into the SMTP dialogue: a line break or space there is a command.
            models.CheckConstraint(
                condition=~models.Q(email__regex=r"[\s<>]"), name="subscriber_email_one_word"
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Subscription(models.Model):
    """One reader's subscription to one newsletter."""

    class Status(models.TextChoices):
        PENDING = "pending", "waiting for confirmation"
        ACTIVE = "active", "active"
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"

    # From → to. PENDING → PENDING is a second sign-up before the first was confirmed.
    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.PENDING, Status.ACTIVE, Status.UNSUBSCRIBED},
        Status.ACTIVE: {Status.UNSUBSCRIBED},
        Status.UNSUBSCRIBED: {Status.PENDING},
    }

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="subscriptions"
    )
    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.PROTECT, related_name="subscriptions"
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    generation = models.PositiveIntegerField(
        default=1,
        editable=False,
        help_text="Grows with each sign-up after leaving, so that old confirmation links die.",
    )
    muted_sections = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Ids of sections this reader does not want.",
    )
    created_at = models.DateTimeField(default=now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The intention to send a confirmation mail, and its outcome. A worker leases the intention by
    # moving the due time forward, so a crash or a lost queue delays the mail and no more.
    mail_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # One reader has one subscription to a newsletter, whatever they do.
            models.UniqueConstraint(
                fields=["subscriber", "newsletter"], name="subscription_once_per_newsletter"
            ),
            # MOVES speaks of these states and no others.
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "active", "unsubscribed"]),
                name="subscription_status_known",
            ),
            # Nobody is active without having confirmed.
            models.CheckConstraint(
                condition=~models.Q(status="active", confirmed_at__isnull=True),
                name="subscription_active_is_confirmed",
            ),
        ]
        indexes = [
            # delivery.plan: the audience of an edition, in id order.
            models.Index(
                fields=["newsletter", "id"],
                name="subscription_audience",
                condition=models.Q(status="active"),
            ),
            # subscribers.tasks: confirmation mails whose task was lost.
            models.Index(
                fields=["mail_due_at"],
                name="subscription_mail_due",
                condition=models.Q(mail_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} · {self.newsletter}"
