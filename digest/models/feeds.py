"""Where a newsletter's stories come from."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now

from digest.language import MAX_LENGTH, tag
from subscribers.models import Newsletter, Section, one_line


def validate_language(value: str) -> None:
    """Refuse what is no BCP 47 tag as `language.tag` returns it."""
    if (found := tag(value)) != value:
        raise ValidationError(
            f"Write it as {found}." if found else "Write a language's code, such as en or pt-BR."
        )


class Feed(models.Model):
    """An RSS or Atom feed, and how its last fetches went."""

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="feeds")
    section = models.ForeignKey(
        Section,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="feeds",
        help_text="Where this feed's stories are filed. Empty: no section.",
    )
    url = models.URLField(
        max_length=1000, help_text="Of the feed; for a new one, any page of the site will do."
    )
    # The page that it belongs to, as the feed says; empty if it does not.
    site_url = models.CharField(
        max_length=1000, blank=True, default="", db_default="", editable=False
    )
    title = models.CharField(max_length=200, blank=True, validators=[one_line])
    source_name = models.CharField(
        max_length=80,
        blank=True,
        validators=[one_line],
        help_text="The outlet's name beside each story. Empty: the feed's title.",
    )
    language = models.CharField(
        max_length=MAX_LENGTH,
        blank=True,
        default="",
        db_default="",
        validators=[validate_language],
        help_text="Such as en or pt-BR. Empty: what the feed says.",
    )
    # What the feed, or the server that it comes from, said at the last fetch.
    stated_language = models.CharField(
        max_length=MAX_LENGTH, blank=True, default="", db_default="", editable=False
    )
    weight = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(10)],
        help_text="Above 1, this feed's stories rank higher; below 1, lower.",
    )
    takes_all = models.BooleanField(
        "propose everything",
        default=False,
        db_default=False,
        help_text="Propose also what looks like no news: promotions, briefings, offers, "
        "horoscopes, games, live pages, standing items. What the words and folders below keep back "
        "stays back.",
    )
    # Kinds of the sieve (ranking.sieve.Kind) that are proposed from this feed all the same.
    kinds_let_through = ArrayField(
        models.CharField(max_length=12), default=list, db_default=[], blank=True
    )
    is_active = models.BooleanField(default=True)
    interval_minutes = models.PositiveSmallIntegerField(
        "fixed interval",
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(1440)],
        help_text="Minutes between two fetches. Empty: 15 minutes to 6 hours, by what it brings.",
    )
    # The interval in use, and why it is that, in words.
    current_minutes = models.PositiveSmallIntegerField(default=15, db_default=15, editable=False)
    interval_reason = models.CharField(
        max_length=200, blank=True, default="", db_default="", editable=False
    )
    # How many stories it brought by UTC date, of the last two weeks, since when they are counted,
    # and when the last one came (feeds.polling.arrivals).
    arrivals = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    observed_since = models.DateTimeField(null=True, blank=True, editable=False)
    last_story_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Validators of the last good response, sent back for a conditional GET (RFC 9110, section 13).
    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    next_fetch_at = models.DateTimeField(default=now, editable=False)
    last_fetched_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    # How long the last fetch took: slow ones must not hold up the others (feeds.polling.turns).
    fetch_seconds = models.FloatField(null=True, blank=True, editable=False)
    # Where its server says that it has moved for good, and since when; then what became of that
    # (feeds.polling.moved).
    moving_to = models.CharField(
        max_length=1000, blank=True, default="", db_default="", editable=False
    )
    moving_since = models.DateTimeField(null=True, blank=True, editable=False)
    moved_from = models.CharField(
        max_length=1000, blank=True, default="", db_default="", editable=False
    )
    moved_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["title", "url"]
        constraints = [
            # The same feed twice would only be fetched twice.
            models.UniqueConstraint(fields=["newsletter", "url"], name="feed_once_per_newsletter"),
        ]
        indexes = [
            # feeds.polling.due: what is due, oldest first.
            models.Index(
                fields=["next_fetch_at"], name="feed_due", condition=models.Q(is_active=True)
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.url

    def reset_fetch_state(self, *, now: datetime) -> None:
        """Make the feed due now, and clear what belongs to the server at its former URL."""
        self.etag = self.last_modified = self.last_error = self.stated_language = ""
        self.moving_to = self.moved_from = ""
        self.last_success_at = self.failing_since = self.moving_since = self.moved_at = None
        self.consecutive_failures = 0
        # What another URL brought says nothing about this one.
        self.arrivals, self.observed_since, self.fetch_seconds = {}, None, None
        self.next_fetch_at = now
        self.save(
            update_fields=[
                "etag", "last_modified", "last_error", "stated_language", "last_success_at",
                "failing_since",
                "consecutive_failures", "next_fetch_at", "moving_to", "moving_since", "moved_from",
                "moved_at", "arrivals", "observed_since", "fetch_seconds",
            ]
        )  # fmt: skip

    @property
    def interval(self) -> timedelta:
        """How long to wait between two fetches that go well, without jitter."""
        return timedelta(minutes=self.interval_minutes or self.current_minutes)

    @property
    def outlet(self) -> str:
        return self.source_name or self.title
