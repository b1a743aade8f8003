"""How many readers came and left, stored apart from who they were."""

from __future__ import annotations

from django.db import models

from subscribers.models.catalogue import Newsletter


class GrowthDay(models.Model):
    """What happened to a newsletter on a day, by the page that readers had signed up on.

    It is counted from the ledger of consent, so that the figures outlive readers who are erased.
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
    """The time up to which the ledger is counted into GrowthDay.

    It has a row of its own, so that it can be locked and has a single writer. As a field of the
    newsletter it would be overwritten with an old value by the newsletter's form.
    """

    newsletter = models.OneToOneField(
        Newsletter, on_delete=models.CASCADE, primary_key=True, related_name="growth_mark"
    )
    counted_to = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.newsletter} up to {self.counted_to}"
