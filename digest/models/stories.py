"""What a newsletter could print."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.timezone import now

from digest.language import MAX_LENGTH, of_text
from digest.models.feeds import Feed
from subscribers.models import (
    EARLIEST_TIME,
    LATEST_TIME,
    Newsletter,
    Section,
    one_line,
    validate_time,
)


class Story(models.Model):
    """One article, from a feed or added by hand; its texts are plain, never markup."""

    class Origin(models.TextChoices):
        FEED = "feed", "feed"
        URL = "url", "added by URL"
        TEXT = "text", "pasted text"
        API = "api", "pushed by a program"

    class Boost(models.IntegerChoices):
        """An editor's word on how high the story's event ranks."""

        MUCH_LOWER = -2, "much lower"
        LOWER = -1, "lower"
        NONE = 0, "as it is"
        HIGHER = 1, "higher"
        MUCH_HIGHER = 2, "much higher"

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="stories")
    section = models.ForeignKey(
        Section, on_delete=models.SET_NULL, null=True, blank=True, related_name="stories"
    )
    # An editor or a program said that it belongs there, so no rule files it elsewhere.
    section_is_pinned = models.BooleanField(default=False, db_default=False, editable=False)
    feed = models.ForeignKey(
        Feed, on_delete=models.SET_NULL, null=True, blank=True, related_name="stories"
    )
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.FEED, editable=False)
    url = models.URLField(
        max_length=2000, blank=True, help_text="Empty for a pasted text: Daybreak shows it itself."
    )
    # SHA-256 of the canonical URL, or of a pasted text's headline and text: the story's identity.
    identity = models.CharField(max_length=64, editable=False)
    # SHA-256 of the feed's own id for it, which outlives a changed URL; empty if it has none.
    guid = models.CharField(max_length=64, blank=True, editable=False)
    # SHA-256 of the texts as the feed gave them. It tells an editor's change from the feed's.
    source_hash = models.CharField(max_length=64, blank=True, editable=False)
    # Where the entry names a language of its own, another than the feed's.
    stated_language = models.CharField(
        max_length=MAX_LENGTH, blank=True, default="", db_default="", editable=False
    )
    title = models.CharField(max_length=300, validators=[one_line])
    summary = models.TextField(blank=True, help_text="Two or three plain sentences.")
    author = models.CharField(max_length=200, blank=True, validators=[one_line])
    source_name = models.CharField(
        max_length=80, blank=True, validators=[one_line], help_text="The outlet."
    )
    image_url = models.URLField(max_length=2000, blank=True)
    image_alt = models.CharField(max_length=300, blank=True, validators=[one_line])
    image_credit = models.CharField(max_length=200, blank=True, validators=[one_line])
    image_width = models.PositiveIntegerField(null=True, blank=True, editable=False)
    image_height = models.PositiveIntegerField(null=True, blank=True, editable=False)
    text = models.TextField(blank=True, help_text="The whole text, if it was pasted.")
    # What the feed says that it is about, as plain text.
    categories = ArrayField(
        models.CharField(max_length=60), default=list, db_default=[], blank=True, editable=False
    )
    published_at = models.DateTimeField(
        null=True,
        blank=True,
        validators=[validate_time],
        help_text="Empty: nobody knows.",
    )
    added_at = models.DateTimeField(default=now, editable=False)
    # Without a date, it was in its feed already when the feed was added: so it is never new.
    is_backlog = models.BooleanField(default=False, db_default=False, editable=False)
    is_hidden = models.BooleanField(default=False, help_text="Never propose this story.")
    is_wanted = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Propose it although it is old or looks like no news, such as a briefing.",
    )
    boost = models.SmallIntegerField(
        "rank it",
        choices=Boost,
        default=Boost.NONE,
        db_default=Boost.NONE,
        help_text="Higher or lower than it would rank by itself, with all reports of its event.",
    )
    # Its place in its feed, from 0, when it arrived; null: it came from no feed, or before this was
    # kept. It is not the place of the last fetch: in a feed that goes by time that is only its age
    # once more, every fetch would rewrite all stories of the feed, and what a draft of last week
    # went by would be lost.
    feed_position = models.IntegerField(null=True, editable=False)
    # When an editor asked for it. From then on it is new, for as long as other stories are.
    wanted_at = models.DateTimeField(null=True, editable=False)
    # When a coming edition's link was last looked at, when its server first said that the page does
    # not exist, and when it said so again. draft.links writes them.
    link_checked_at = models.DateTimeField(null=True, editable=False)
    link_missing_at = models.DateTimeField(null=True, editable=False)
    link_died_at = models.DateTimeField(null=True, editable=False)
    # The news event that it reports: the id of one of its stories, mostly the first. A story of its
    # own has its own id; null: it has not been grouped. digest.events writes it.
    event = models.BigIntegerField(null=True, editable=False)
    # Which of its event's reports have one text: the id of one of them, mostly the first. Null: it
    # has not been compared, or nothing else reports the event.
    text_number = models.BigIntegerField(null=True, editable=False)
    # A looser group: events of one cluster may be one after all, or have one subject. The id of one
    # of its stories, as with `event`.
    cluster = models.BigIntegerField(null=True, editable=False)
    # An editor said that it belongs there, so no grouping moves it.
    event_is_pinned = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        ordering = [models.F("published_at").desc(nulls_last=True)]
        verbose_name_plural = "stories"
        constraints = [
            # A story that arrives twice is stored once.
            models.UniqueConstraint(
                fields=["newsletter", "identity"], name="story_once_per_newsletter"
            ),
            models.UniqueConstraint(
                fields=["newsletter", "guid"],
                name="story_guid_once_per_newsletter",
                condition=~models.Q(guid=""),
            ),
            models.CheckConstraint(
                condition=models.Q(origin__in=["feed", "url", "text", "api"]),
                name="story_origin_known",
            ),
            # A draft reads all recent stories at once, so one that cannot be read would stop it.
            models.CheckConstraint(
                condition=models.Q(published_at=None)
                | models.Q(published_at__gte=EARLIEST_TIME, published_at__lt=LATEST_TIME),
                name="story_time_readable",
            ),
        ]
        indexes = [
            # draft.draft: a newsletter's recent stories.
            models.Index(fields=["newsletter", "-published_at"], name="story_recent"),
            # draft.draft and feeds.known: stories whose date nobody knows, by when they were added.
            models.Index(
                fields=["newsletter", "-added_at"],
                name="story_undated",
                condition=models.Q(published_at=None),
            ),
            # events.grouping: what arrived lately and is in no event yet.
            models.Index(
                fields=["added_at"], name="story_ungrouped", condition=models.Q(event=None)
            ),
            # draft.draft: what else reports an event.
            models.Index(
                fields=["event"], name="story_event", condition=models.Q(event__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return self.url or reverse("story", args=[self.pk])

    @property
    def dated_at(self) -> datetime:
        """When it was published or, if nobody knows, when it was seen first."""
        return self.published_at or self.added_at

    @property
    def new_since(self) -> datetime:
        """When it became new: by its date or, if that is later, when an editor asked for it."""
        return max(self.dated_at, self.wanted_at) if self.wanted_at else self.dated_at

    def is_out(self) -> bool:
        """Whether readers have it: an edition with it was sent, or its sending has begun."""
        return self.items.filter(released=False, edition__sending_at__isnull=False).exists()

    @property
    def outlet(self) -> str:
        """The name of the outlet whose story it is; empty if nobody knows."""
        return self.source_name or (self.feed.outlet if self.feed else "")

    @property
    def lang(self) -> str:
        """The tag of its title's language, such as "pt-BR"; "und-Cyrl", or empty, if unknown."""
        declared = self.stated_language
        if not declared and self.feed:
            declared = self.feed.language or self.feed.stated_language
        return of_text(self.title, declared=declared)

    @property
    def link(self) -> str:
        """The absolute URL that a headline leads to."""
        return self.url or f"{settings.SITE_URL}{reverse('story', args=[self.pk])}"
