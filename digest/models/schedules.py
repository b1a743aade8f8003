"""When a newsletter's editions go out, and what happens if no editor approves them."""

from __future__ import annotations

import zoneinfo

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from subscribers.models import Newsletter, Subscription, one_line, validate_timezone

_ONE_WEEKLY = (
    "The newsletter has an active weekly schedule already, and its readers were promised one mail "
    "a week. Switch that one off first."
)


class Weekday(models.IntegerChoices):
    """The days of the week, numbered as by `datetime.weekday()`."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


def every_day() -> list[int]:
    return list(Weekday.values)


class Cadence(models.TextChoices):
    """What an edition prints, and so which readers it is for (Subscription.frequency)."""

    DAILY = "daily", "what is new"
    WEEKLY = "weekly", "the best of the week"


class Schedule(models.Model):
    """A rule that makes one slot, and so one edition, on each of its weekdays."""

    class Clock(models.TextChoices):
        NEWSROOM = "newsroom", "the newsroom's: everybody at the same moment"
        READER = "reader", "each reader's own: in waves around the world"

    class Unapproved(models.TextChoices):
        SEND = "send", "send it as proposed"
        HOLD = "hold", "hold it and tell the editors"

    class TooFew(models.TextChoices):
        """What becomes of an edition that has fewer stories than its minimum."""

        SKIP = "skip", "skip it"
        SEND = "send", "treat it like any other, only shorter"
        HOLD = "hold", "hold it and tell the editors"

    class TellOfDraft(models.TextChoices):
        ALWAYS = "always", "always"
        NEEDED = "needed", "if it does not go out by itself"
        NEVER = "never", "never"

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=80, default="Daily", validators=[one_line])
    is_active = models.BooleanField(default=True)
    cadence = models.CharField(
        "contents",
        max_length=8,
        choices=Cadence,
        default=Cadence.DAILY,
        db_default=Cadence.DAILY,
        help_text="The best of the week goes to readers who chose one mail a week, and to no "
        "others; what is new goes to all the others.",
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(choices=Weekday), default=every_day, size=7
    )
    local_time = models.TimeField(help_text="When it goes out, on the clock below.")
    clock = models.CharField(
        "whose clock",
        max_length=8,
        choices=Clock,
        default=Clock.NEWSROOM,
        db_default=Clock.NEWSROOM,
        help_text="By the readers' clocks each reader gets it at that time where they are, or at "
        "the hour they chose. Sending takes more than a day. A reader whose time has passed gets "
        "it immediately.",
    )
    head_start_hours = models.PositiveSmallIntegerField(
        "head start",
        null=True,
        blank=True,
        validators=[MaxValueValidator(26)],
        help_text="By the readers' clocks: how many hours before the newsroom's own time the first "
        "readers, in the east, may get it; the draft is made before that. Empty: as early as "
        "they need.",
    )
    timezone = models.CharField(
        max_length=64,
        blank=True,
        validators=[validate_timezone],
        help_text="Empty: the newsletter's time zone.",
    )
    draft_lead_minutes = models.PositiveSmallIntegerField(
        default=120,
        validators=[MinValueValidator(1), MaxValueValidator(1440)],
        help_text="How long before the send time the draft is made.",
    )
    deadline_minutes = models.PositiveSmallIntegerField(
        default=180,
        validators=[MinValueValidator(5), MaxValueValidator(1440)],
        help_text="How late it is still worth sending; after that the edition is skipped. By the "
        "readers' clocks this counts for each of them.",
    )
    min_stories = models.PositiveSmallIntegerField(default=3, validators=[MinValueValidator(1)])
    max_stories = models.PositiveSmallIntegerField(
        default=12, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    unapproved = models.CharField(
        max_length=8,
        choices=Unapproved,
        default=Unapproved.HOLD,
        help_text="What happens at the send time if no editor has approved. An edition that "
        "somebody has changed since it was proposed is held in any case.",
    )
    too_few = models.CharField(
        "if there are fewer",
        max_length=8,
        choices=TooFew,
        default=TooFew.SKIP,
        db_default=TooFew.SKIP,
        help_text="What happens at the send time if there are fewer stories than the minimum and "
        "no editor has approved. Nothing old is taken to fill it, and none goes out empty.",
    )
    tell_of_draft = models.CharField(
        "tell the editors of each draft",
        max_length=8,
        choices=TellOfDraft,
        default=TellOfDraft.NEEDED,
        db_default=TellOfDraft.NEEDED,
        help_text="By mail, with a link, the proposed stories and what happens at the send time.",
    )
    reminder_minutes = models.PositiveSmallIntegerField(
        "remind the editors",
        default=30,
        db_default=30,
        validators=[MaxValueValidator(1440)],
        help_text="How many minutes before the send time, by mail, if nobody has approved an "
        "edition that does not go out by itself. 0: never.",
    )
    # Slots missed before this are not caught up on: the schedule was changed then, or nobody
    # waited for them.
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["newsletter", "local_time"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(unapproved__in=["send", "hold"]),
                name="schedule_unapproved_known",
            ),
            models.CheckConstraint(
                condition=models.Q(too_few__in=["skip", "send", "hold"]),
                name="schedule_too_few_known",
            ),
            models.CheckConstraint(
                condition=models.Q(tell_of_draft__in=["always", "needed", "never"]),
                name="schedule_tell_of_draft_known",
            ),
            # An edition could never satisfy both.
            models.CheckConstraint(
                condition=models.Q(min_stories__lte=models.F("max_stories")),
                name="schedule_min_up_to_max",
            ),
            models.CheckConstraint(
                condition=models.Q(cadence__in=["daily", "weekly"]), name="schedule_cadence_known"
            ),
            models.CheckConstraint(
                condition=models.Q(clock__in=["newsroom", "reader"]), name="schedule_clock_known"
            ),
            # Weekly readers were promised one mail a week.
            models.CheckConstraint(
                condition=models.Q(cadence="daily") | models.Q(weekdays__len__lte=1),
                name="schedule_weekly_once_a_week",
            ),
            # So a newsletter must not have two active weekly schedules.
            models.UniqueConstraint(
                fields=["newsletter"],
                condition=models.Q(cadence="weekly", is_active=True),
                name="schedule_one_weekly_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.newsletter} · {self.name}"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone or self.newsletter.timezone)

    def is_awaited(self) -> bool:
        """Whether anybody waits for its editions.

        A daily schedule is always awaited, because readers may still sign up. A weekly schedule is
        awaited if it has weekly readers, or if the newsletter has no daily one: then it is for
        everybody.
        """
        if self.cadence == Cadence.DAILY or not self._has_active_daily():
            return True
        return Subscription.objects.filter(
            newsletter=self.newsletter_id,
            status=Subscription.Status.ACTIVE,
            frequency=Subscription.Frequency.WEEKLY,
        ).exists()

    def _has_active_daily(self) -> bool:
        daily = Schedule.objects.filter(newsletter=self.newsletter_id, cadence=Cadence.DAILY)
        return daily.filter(is_active=True).exclude(weekdays=[]).exists()

    def clean(self) -> None:
        if self.min_stories and self.max_stories and self.min_stories > self.max_stories:
            raise ValidationError({"min_stories": "The minimum cannot be more than the maximum."})
        if not self.weekdays:
            raise ValidationError({"weekdays": "Choose at least one day."})
        if self.cadence == Cadence.WEEKLY and len(self.weekdays) > 1:
            raise ValidationError(
                {"weekdays": "The best of the week is sent once a week: choose one day."}
            )
        # Django does not check the constraint if the form lacks `cadence`.
        if self.cadence == Cadence.WEEKLY and self.is_active and self._has_other_weekly():
            raise ValidationError({"is_active": _ONE_WEEKLY})

    def _has_other_weekly(self) -> bool:
        weekly = Schedule.objects.filter(
            newsletter=self.newsletter_id, cadence=Cadence.WEEKLY, is_active=True
        )
        return weekly.exclude(pk=self.pk).exists()
