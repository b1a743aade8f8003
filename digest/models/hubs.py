"""What a feed's hub (WebSub) was asked for, and what it said."""

from __future__ import annotations

import secrets

from django.db import models

from digest.models.feeds import Feed


def new_token() -> str:
    return secrets.token_urlsafe(32)


class HubSubscription(models.Model):
    """A subscription at the hub of one feed, which tells when the feed has something new."""

    class Status(models.TextChoices):
        ASKED = "asked", "asked for"
        ACTIVE = "active", "active"
        REFUSED = "refused", "refused"
        LEAVING = "leaving", "being ended"

    feed = models.OneToOneField(Feed, on_delete=models.CASCADE, related_name="hub")
    hub_url = models.CharField(max_length=1000)
    topic_url = models.CharField(max_length=1000)
    # The part of our address that nobody can guess, and the key of the hub's signatures.
    token = models.CharField(max_length=64, unique=True, default=new_token)
    secret = models.CharField(max_length=64, default=new_token)
    status = models.CharField(max_length=8, choices=Status, default=Status.ASKED)
    # When the hub is asked next, for the first time or again before the lease ends.
    next_request_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True, default="")
    # The last signed message, and when a fetch last found something that no message had announced.
    told_at = models.DateTimeField(null=True)
    untold_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["asked", "active", "refused", "leaving"]),
                name="hub_status_known",
            ),
        ]
        indexes = [
            # feeds.polling.hubs: which hubs are to be asked.
            models.Index(fields=["next_request_at"], name="hub_due"),
        ]

    def __str__(self) -> str:
        return f"{self.feed} · {self.hub_url}"
