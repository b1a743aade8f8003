"""What a reader can subscribe to."""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import get_language_info

from subscribers.models.fields import one_line, validate_timezone


class Newsletter(models.Model):
    """What a reader subscribes to."""

    name = models.CharField(max_length=80, validators=[one_line])
    slug = models.SlugField(max_length=40, unique=True)
    promise = models.CharField(
        max_length=160,
        help_text="One sentence on the sign-up page: what arrives, how often.",
        validators=[one_line],
    )
    description = models.TextField(blank=True)
    sender_name = models.CharField(
        max_length=80, blank=True, validators=[one_line], help_text="Empty: the newsletter's name."
    )
    sender_email = models.EmailField(blank=True, help_text="Empty: the slug at MAIL_DOMAIN.")
    reply_to = models.EmailField(blank=True)
    language = models.CharField(max_length=16, default="en", help_text="Such as en, de or ar.")
    timezone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_timezone],
        help_text="The newsroom's clock, such as Europe/London.",
    )
    accent_color = models.CharField(
        max_length=7,
        default="#0b57d0",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "Write the colour like #0b57d0.")],
    )
    postal_address = models.CharField(
        max_length=300, blank=True, validators=[one_line], help_text="Empty: POSTAL_ADDRESS."
    )
    is_listed = models.BooleanField(default=True, help_text="Shown on the front page.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("newsletter", args=[self.slug])

    @property
    def from_name(self) -> str:
        return self.sender_name or self.name

    @property
    def from_email(self) -> str:
        return self.sender_email or f"{self.slug}@{settings.MAIL_DOMAIN}"

    @property
    def postal_line(self) -> str:
        return self.postal_address or settings.POSTAL_ADDRESS

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)

    @property
    def direction(self) -> str:
        """`rtl` or `ltr`, for the dir attribute."""
        try:
            return "rtl" if get_language_info(self.language)["bidi"] else "ltr"
        except KeyError:
            return "ltr"


class Section(models.Model):
    """A part of a newsletter, such as Markets, that stories are filed under."""

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="sections")
    name = models.CharField(max_length=60, validators=[one_line])
    slug = models.SlugField(max_length=40)
    position = models.PositiveSmallIntegerField(default=0)
    min_stories = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="It gets so many stories first, if there are fresh ones for it. 0: none.",
    )
    max_stories = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The most stories in one edition. Empty: no limit."
    )

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            # A section is named by its slug on the command line and in imports.
            models.UniqueConstraint(
                fields=["newsletter", "slug"], name="section_slug_per_newsletter"
            ),
            # No edition could satisfy both.
            models.CheckConstraint(
                condition=models.Q(max_stories=None)
                | models.Q(min_stories__lte=models.F("max_stories")),
                name="section_min_up_to_max",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.max_stories is not None and (self.min_stories or 0) > self.max_stories:
            raise ValidationError({"min_stories": "The minimum cannot be more than the maximum."})
