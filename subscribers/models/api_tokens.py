"""API tokens with their scopes, and receipts of answered requests."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from subscribers.models.catalogue import Newsletter
from subscribers.models.fields import one_line, validate_time


class Scope(models.TextChoices):
    """What a token allows."""

    SUBSCRIBERS_READ = "subscribers:read", "List and export subscribers"
    SUBSCRIBERS_WRITE = "subscribers:write", "Sign readers up from our own programs"
    STORIES_READ = "stories:read", "List stories"
    STORIES_WRITE = "stories:write", "Push stories"
    EDITIONS_READ = "editions:read", "See editions before they are sent"
    EDITIONS_WRITE = "editions:write", "Create and edit editions"
    EDITIONS_SEND = "editions:send", "Approve and send editions"


class ApiToken(models.Model):
    """A program's key; only its hash is kept (subscribers.api.tokens issues and finds them)."""

    name = models.CharField(
        max_length=80, validators=[one_line], help_text="Which program uses it, and where."
    )
    hint = models.CharField(
        max_length=20, editable=False, help_text="The first characters of the token."
    )
    # SHA-256 of the token, in hex. For 256 random bits no salt and no slow hash is needed.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope))
    newsletter = models.ForeignKey(
        Newsletter,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="api_tokens",
        help_text="Empty: valid for all newsletters.",
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField(
        null=True, blank=True, validators=[validate_time], help_text="Empty: never."
    )
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"
        constraints = [
            # A scope that nothing checks would look like a permission and be none.
            models.CheckConstraint(
                condition=models.Q(
                    scopes__contained_by=[
                        "subscribers:read", "subscribers:write", "stories:read", "stories:write",
                        "editions:read", "editions:write", "editions:send",
                    ]
                ),
                name="api_token_scopes_known",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def is_valid(self, *, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may_see(self, newsletter_id: int) -> bool:
        return self.newsletter_id in (None, newsletter_id)


class ApiReceipt(models.Model):
    """The response to a request with an Idempotency-Key, kept to answer the same request again."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="receipts")
    key = models.CharField(max_length=255)
    # SHA-256 of method, path and body: the same key with another request is a mistake.
    fingerprint = models.CharField(max_length=64)
    # None while the first request is being worked on.
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    location = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [
            # Of two simultaneous requests, the second finds the row of the first.
            models.UniqueConstraint(fields=["token", "key"], name="api_receipt_once_per_key"),
        ]
        indexes = [
            # subscribers.api.tokens: receipts that are purged after a day.
            models.Index(fields=["created_at"], name="api_receipt_age"),
        ]

    def __str__(self) -> str:
        return self.key
