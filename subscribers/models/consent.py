"""What readers agreed to, and which addresses get no mail."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now

from subscribers.models.readers import Subscription


class Consent(models.Model):
    """A record of what a reader agreed to (or withdrew), when and where; never changed."""

    class Kind(models.TextChoices):
        SIGNUP = "signup", "sign-up"
        CONFIRMATION = "confirmation", "confirmation"
        IMPORT = "import", "import"
        CHANGE = "change", "change"
        WITHDRAWAL = "withdrawal", "withdrawal"

    # There is no foreign key in the database. A transaction that records consent has just written
    # the subscription's row, and so holds its lock. An import would spend 4 s on a million checks.
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="consents", db_constraint=False
    )
    kind = models.CharField(max_length=16, choices=Kind)
    wording = models.TextField(help_text="The sentence the reader saw beside the button.")
    wording_version = models.CharField(max_length=16)
    page = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=16, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    details = models.JSONField(
        default=dict, blank=True, help_text="What changed, or the evidence of an import."
    )
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "consent records"
        constraints = [
            # The ledger is read by kind in an audit; an unknown kind would be invisible.
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=["signup", "confirmation", "import", "change", "withdrawal"]
                ),
                name="consent_kind_known",
            ),
        ]
        indexes = [
            # growth: what happened since the last count; the admin's list, newest first.
            models.Index(fields=["created_at"], name="consent_by_time"),
            # retention: rows whose network address and client are to be emptied. The rows of an
            # import have neither.
            models.Index(
                fields=["created_at"],
                name="consent_to_anonymise",
                condition=models.Q(ip_address__isnull=False) | ~models.Q(user_agent=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.subscription}"


class Suppression(models.Model):
    """An address that gets no mail whatever it subscribes to."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", "hard bounce"
        COMPLAINT = "complaint", "complaint"
        MANUAL = "manual", "by hand"
        IMPORT = "import", "unsubscribed, according to an imported list"
        ERASED = "erased", "erased at the reader's request"

    email_key = models.CharField(
        max_length=254,
        db_collation="C",  # as Subscriber.email_key
        help_text="Of an erased reader only a keyed hash (suppression.erased_key).",
    )
    reason = models.CharField(max_length=16, choices=Reason)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["email_key"], name="suppression_once_per_address"),
            # Skips are counted by reason; an unknown one could not be explained.
            models.CheckConstraint(
                condition=models.Q(
                    reason__in=["bounce", "complaint", "manual", "import", "erased"]
                ),
                name="suppression_reason_known",
            ),
        ]

    def __str__(self) -> str:
        return self.email_key
