"""The ledger: one row per reader and edition, and what became of it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from digest.models.editions import Edition
from subscribers.models import Subscription


class Delivery(models.Model):
    """One reader's copy of one edition."""

    class Status(models.TextChoices):
        PENDING = "pending", "waiting"
        SENDING = "sending", "on the wire"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        SKIPPED = "skipped", "skipped"
        UNCERTAIN = "uncertain", "uncertain"

    class Reason(models.TextChoices):
        """Why a reader was skipped, or why a message failed."""

        UNSUBSCRIBED = "unsubscribed", "unsubscribed"
        SUPPRESSED = "suppressed", "address suppressed"
        PAUSED = "paused", "paused by the reader"
        FREQUENCY = "frequency", "chose another frequency"
        MUTED = "muted", "muted every section"
        NO_EXTRAS = "no-extras", "wants no extra editions"
        EXTRA_CAP = "extra-cap", "had enough extra editions today"
        PAST_DEADLINE = "past-deadline", "past the edition's deadline"
        ENDED = "ended", "the edition ended earlier"
        BAD_ADDRESS = "bad-address", "the address does not exist"
        REFUSED = "refused", "refused by the receiving server"
        # The row is still pending: its domain accepts no more mail for the moment.
        THROTTLED = "throttled", "waits for its domain's rate"

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.SENDING, Status.SKIPPED, Status.FAILED},
        Status.SENDING: {
            Status.SENT,
            Status.FAILED,
            Status.PENDING,
            Status.SKIPPED,
            Status.UNCERTAIN,
        },
        # It is sent again under the same Message-ID, unless the operator wants it held.
        Status.UNCERTAIN: {Status.SENDING, Status.SKIPPED},
        Status.SENT: set(),
        # An operator may have failed messages sent again.
        Status.FAILED: {Status.PENDING},
        Status.SKIPPED: set(),
    }

    # The database has no foreign keys here. Checking a million times that an edition and a
    # subscription exist takes 9 of the 18 s of planning. It also locks each subscription's row,
    # which rewrites the pages of that table with every daily send. Editions are never deleted. Of
    # subscriptions, only those that were never confirmed are (subscribers.signup.pending), and no
    # edition is planned for them.
    #
    # `edition` needs no index of its own either: delivery_once_per_reader begins with it.
    edition = models.ForeignKey(
        Edition,
        on_delete=models.PROTECT,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=32, choices=Reason, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=now)
    # Set if the edition follows the readers' clocks: this reader's own time. Lateness counts from
    # it.
    due_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    lane = models.CharField(max_length=40, blank=True, help_text="The Celery task that claimed it.")
    relay = models.CharField(
        max_length=100, blank=True, help_text="The relay it was handed to last."
    )
    revision = models.PositiveSmallIntegerField(
        default=0, help_text="Which revision of the edition was sent; 0: none yet."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    # Set when the outcome of the message's window was lost. It stays set when the message was sent
    # again.
    uncertain_at = models.DateTimeField(null=True, blank=True)
    reply = models.CharField(
        max_length=300, blank=True, help_text="The server's last reply code and text."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            # One row per reader and edition: planning twice adds nobody twice.
            models.UniqueConstraint(
                fields=["edition", "subscription"], name="delivery_once_per_reader"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["pending", "sending", "sent", "failed", "skipped", "uncertain"]
                ),
                name="delivery_status_known",
            ),
            # Every skip and failure has a reason.
            models.CheckConstraint(
                condition=~models.Q(status__in=["skipped", "failed"], reason=""),
                name="delivery_stop_has_reason",
            ),
        ]
        indexes = [
            # lane.claim: an edition's rows that are due, in the order of their time; also "is
            # anything waiting". Time comes before id for two reasons: rows that were postponed cost
            # a claim nothing, and the query planner cannot use the primary key instead.
            models.Index(
                fields=["edition", "next_attempt_at", "id"],
                name="delivery_due",
                condition=models.Q(status="pending")
                | models.Q(status="uncertain", finished_at=None),
            ),
            # lane.recover: rows whose lane is gone; also "is anything on the wire".
            models.Index(
                fields=["claimed_at"],
                name="delivery_on_the_wire",
                condition=models.Q(status="sending"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscription.subscriber} · {self.edition_id}"
