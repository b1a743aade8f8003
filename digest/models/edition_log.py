"""What became of an edition, and by whom: one row for each step, never changed."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.timezone import now

from digest.models.editions import Edition


class EditionLogEntry(models.Model):
    """A step that no user took in the admin, whose own history has those.

    The step's function writes it in the transaction of the step. The edition's row has only its
    present state, and forgets a hold once the edition is approved.
    """

    AUTOPILOT: ClassVar[str] = "the autopilot"

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(default=now)
    actor = models.CharField(
        max_length=150,
        help_text="Who took the step, in words; “the autopilot” if nobody asked for it.",
    )
    words = models.CharField(max_length=500)

    class Meta:
        ordering = ["at", "id"]
        verbose_name_plural = "edition log entries"

    def __str__(self) -> str:
        return f"{self.words} ({self.actor})"
