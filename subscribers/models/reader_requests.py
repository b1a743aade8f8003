"""Requests of readers that need a mail: a change of address, a link to preferences or data."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from subscribers.models.readers import Subscriber


class AddressChange(models.Model):
    """A reader's request for another address; the owners of both addresses have to agree."""

    class Status(models.TextChoices):
        OPEN = "open", "waiting for both addresses"
        DONE = "done", "done"
        DROPPED = "dropped", "dropped"

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.OPEN: {Status.DONE, Status.DROPPED},
        Status.DONE: set(),
        Status.DROPPED: set(),
    }

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="address_changes"
    )
    email = models.EmailField("new address", max_length=254)
    email_key = models.CharField(max_length=254, editable=False)
    email_as_typed = models.CharField(max_length=320, blank=True, editable=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    created_at = models.DateTimeField("asked for", default=now)
    old_agreed_at = models.DateTimeField("agreed at the old address", null=True, blank=True)
    new_agreed_at = models.DateTimeField("agreed at the new address", null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["open", "done", "dropped"]),
                name="address_change_status_known",
            ),
            # The newest request counts, and an older link must not undo it.
            models.UniqueConstraint(
                fields=["subscriber"],
                name="address_change_one_open",
                condition=models.Q(status="open"),
            ),
            # An address is changed only after both owners have agreed.
            models.CheckConstraint(
                condition=~models.Q(status="done")
                | models.Q(old_agreed_at__isnull=False, new_agreed_at__isnull=False),
                name="address_change_done_by_both",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} → {self.email}"


class RequestedMail(models.Model):
    """A mail that somebody requested on a page: the intention to send it, and the outcome.

    It names an address, known to us or not: a request for an unknown address costs the same work.
    """

    class Kind(models.TextChoices):
        LINK = "link", "link to the preferences"
        DATA = "data", "link to the reader's data"
        OLD_ADDRESS = "old-address", "change of address, to the old one"
        NEW_ADDRESS = "new-address", "change of address, to the new one"

    class Outcome(models.TextChoices):
        """Whether the mail was sent, or why not; empty while it is due."""

        SENT = "sent", "sent"
        UNKNOWN = "unknown", "no reader has this address"
        SUPPRESSED = "suppressed", "the address is suppressed"
        OVERTAKEN = "overtaken", "no longer wanted"
        TOO_OFTEN = "too-often", "asked for too often"
        REFUSED = "refused", "refused by the relay"
        GIVEN_UP = "given-up", "given up after three days"

    kind = models.CharField(max_length=16, choices=Kind)
    email_key = models.CharField(max_length=254)
    # As Subscriber.mailbox: limits count mailboxes. It is empty in rows from before there was one.
    mailbox = models.CharField(max_length=254, blank=True, db_default="", db_collation="C")
    change = models.ForeignKey(
        AddressChange,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="requested_mails",
    )
    asked_at = models.DateTimeField(default=now)
    # Leased like Subscription.mail_due_at: a worker moves it ahead while it sends the mail.
    due_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["link", "data", "old-address", "new-address"]),
                name="requested_mail_kind_known",
            ),
            # A mail that is neither due nor done would never be looked at again.
            models.CheckConstraint(
                condition=models.Q(due_at__isnull=False, outcome="")
                | models.Q(due_at__isnull=True) & ~models.Q(outcome=""),
                name="requested_mail_due_or_done",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["link", "data"], change__isnull=True)
                | models.Q(kind__in=["old-address", "new-address"], change__isnull=False),
                name="requested_mail_of_a_change",
            ),
        ]
        indexes = [
            # requested_mail.due_ids: mails that are due.
            models.Index(
                fields=["due_at"],
                name="requested_mail_due",
                condition=models.Q(due_at__isnull=False),
            ),
            # erasure, data_export: the mails that were requested for an address.
            models.Index(fields=["email_key", "asked_at"], name="requested_mail_asked"),
            # preferences: how often mails to a mailbox were requested lately.
            models.Index(fields=["mailbox", "asked_at"], name="requested_mail_of_mailbox"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.email_key}"
