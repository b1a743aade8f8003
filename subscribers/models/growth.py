"""How many came and went, kept apart from who."""

from __future__ import annotations

from django.db import models

from subscribers.models.catalogue import Newsletter


class GrowthDay(models.Model):
    """What happened to a newsletter on a day, by the page that readers had signed up on.

    Counted from the ledger of consent, so that the figures outlive the people who are erased.
    """

    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.CASCADE, related_name="growth", db_index=False
    )
    day = models.DateField(help_text="By the newsroom's clock.")
    source = models.CharField(max_length=300, blank=True, help_text="Host and path of the page.")
    signups = models.PositiveIntegerField(default=0)
    confirmations = models.PositiveIntegerField(default=0)
    imports = models.PositiveIntegerField(default=0)
    leavers = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-day"]
        verbose_name = verbose_name_plural = "growth"
        constraints = [
            # Counting adds to the row that is there; a report reads a newsletter's span of days.
            models.UniqueConstraint(
                fields=["newsletter", "day", "source"], name="growth_day_once_per_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.newsletter} · {self.day:%-d %B %Y}"


class GrowthMark(models.Model):
    """Up to when the ledger is in GrowthDay; a row of its own, for its lock and its single writer.

    (A form of the newsletter's would write an old value back.)
    """

    newsletter = models.OneToOneField(
        Newsletter, on_delete=models.CASCADE, primary_key=True, related_name="growth_mark"
    )
    counted_to = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.newsletter} up to {self.counted_to}"
