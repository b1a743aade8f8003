"""Imports of reader lists, and the rows that were refused."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models.functions import Upper
from django.utils.text import get_valid_filename
from django.utils.timezone import now

from subscribers.models.catalogue import Newsletter


def _place(job: ImportJob, name: str) -> str:
    # The path cannot be guessed, in case a storage serves its files.
    return f"imports/{uuid4().hex}/{get_valid_filename(name)[-80:]}"


class ImportJob(models.Model):
    """One imported list: its file, the meaning of its columns, its evidence and its progress."""

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "to be set up"
        TRYING = "trying", "dry run under way"
        TRIED = "tried", "dry run finished, nothing imported"
        RUNNING = "running", "being imported"
        DONE = "done", "imported"
        STOPPED = "stopped", "stopped"
        FAILED = "failed", "failed"

    class Holds(models.TextChoices):
        READER = "reader", "readers"
        UNSUBSCRIBED = "left", "people who unsubscribed"
        CLEANED = "cleaned", "addresses that bounced"

    class Treatment(models.TextChoices):
        ASK = "ask", "Ask each by mail to confirm; nobody gets an edition before"
        CONFIRMED = "confirmed", "They have confirmed elsewhere, and here is the evidence"

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.UPLOADED: {Status.TRYING, Status.RUNNING},
        Status.TRYING: {Status.TRIED, Status.STOPPED, Status.FAILED},
        Status.TRIED: {Status.TRYING, Status.RUNNING},
        Status.RUNNING: {Status.DONE, Status.STOPPED, Status.FAILED},
        Status.DONE: {Status.TRYING, Status.RUNNING},
        Status.STOPPED: {Status.TRYING, Status.RUNNING},
        Status.FAILED: {Status.TRYING, Status.RUNNING},
    }
    UNDER_WAY: ClassVar[tuple[str, ...]] = (Status.TRYING, Status.RUNNING)

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="imports")
    # Emptied when the retention period is over (retention); the counts stay.
    file = models.FileField(upload_to=_place, max_length=200, blank=True)
    name = models.CharField(max_length=200, help_text="What the file was called.")
    size = models.BigIntegerField(default=0)
    encoding = models.CharField(
        max_length=20, blank=True, help_text="Empty: detected from the file."
    )
    preset = models.CharField(max_length=40, blank=True)
    columns = models.JSONField(default=dict, help_text="Field → number of the column, from 0.")
    kind = models.CharField(
        max_length=16,
        choices=Holds,
        blank=True,
        help_text="Empty: preset and status decide.",
    )
    treatment = models.CharField(max_length=16, choices=Treatment, default=Treatment.ASK)
    # survey.Survey and survey.Answers: what the list says of itself, and what the operator says of
    # what it leaves open.
    survey = models.JSONField(null=True, blank=True)
    answers = models.JSONField(null=True, blank=True)
    evidence = models.TextField(
        blank=True, max_length=2000, help_text="Where, when and how these readers agreed."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=now)

    status = models.CharField(max_length=16, choices=Status, default=Status.UPLOADED)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    # The worker that has leased the job, and until when. If it dies, another takes over after that.
    lease = models.CharField(max_length=36, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    # Where the next slice resumes. It is written in the transaction that stores the rows before it.
    line = models.PositiveBigIntegerField(default=0)
    cookie = models.CharField(max_length=80, default="0")
    position = models.BigIntegerField(default=0, help_text="Bytes of the file that are read.")

    rows = models.PositiveBigIntegerField(default=0)
    added = models.PositiveBigIntegerField(default=0)
    asked = models.PositiveBigIntegerField(default=0, help_text="Of those added: asked to confirm.")
    suppressed = models.PositiveBigIntegerField(default=0)
    already_there = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    unread_dates = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Rows that were not refused; a date is left out."
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "import"
        # An export needs a permission, as an import does: a list of all readers is worth stealing.
        permissions = [("export_readers", "Can export readers")]
        constraints = [
            # MOVES covers these states and no others.
            models.CheckConstraint(
                condition=models.Q(
                    status__in=[
                        "uploaded", "trying", "tried", "running", "done", "stopped", "failed",
                    ]
                ),
                name="import_status_known",
            ),
            # Nobody becomes active without evidence, whoever starts the import.
            models.CheckConstraint(
                condition=models.Q(treatment="ask")
                | models.Q(treatment="confirmed") & ~models.Q(evidence=""),
                name="import_confirmed_has_evidence",
            ),
        ]  # fmt: skip
        indexes = [
            # subscribers.tasks: imports whose worker died, or whose task was lost.
            models.Index(
                fields=["leased_until"],
                name="import_under_way",
                condition=models.Q(status__in=["trying", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_under_way(self) -> bool:
        return self.status in self.UNDER_WAY

    @property
    def percent(self) -> int:
        """How much of the file is read; 100 only at its end."""
        if self.status in {self.Status.DONE, self.Status.TRIED}:
            return 100
        return min(99, 100 * self.position // self.size) if self.size else 0


# Refused rows whose text holds something like an address, and is no plain one. In these an erased
# person's address is searched for.
UNUSUAL = models.Q(email__regex="[@\uff20\ufe6b]|%40") & ~models.Q(
    email__regex=r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$"
)


class ImportRefusal(models.Model):
    """A row of a list that was not imported, or not with all it says, and why."""

    job = models.ForeignKey(
        ImportJob, on_delete=models.CASCADE, related_name="refusals", db_index=False
    )
    line = models.PositiveBigIntegerField()
    email = models.CharField(max_length=254, blank=True)
    reason = models.CharField(max_length=300)
    # The row was imported, and only a date in it was left out.
    is_note = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["job", "line"]
        constraints = [
            # A job's refusals are read by line. A line is refused once, even if it is read again.
            models.UniqueConstraint(fields=["job", "line"], name="import_refusal_once_per_line"),
        ]
        indexes = [
            # refusals.anonymise_refusals: the rows that are an erased person's address, and those
            # that may hold it in another form.
            models.Index(Upper("email"), name="import_refusal_address"),
            models.Index(fields=["id"], name="import_refusal_unusual", condition=UNUSUAL),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
