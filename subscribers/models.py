"""The catalogue of newsletters, and who subscribed to them with what consent."""

from __future__ import annotations

import zoneinfo
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import get_language_info


class IllegalMove(Exception):
    """A state change that the model's MOVES table does not allow."""


def validate_timezone(value: str) -> None:
    """Refuse a name that the IANA time zone database does not know."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(
            "“%(value)s” is not a time zone; write it like Europe/London.",
            params={"value": value},
        )


# A name goes into mail headers, so a line break in one would be a header of the writer's choice.
one_line = RegexValidator(r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", "Write this on one line.")


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
    max_stories = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="At most so many stories in one edition. Empty: no limit."
    )

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            # A section is named by its slug on the command line and in imports.
            models.UniqueConstraint(
                fields=["newsletter", "slug"], name="section_slug_per_newsletter"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Subscriber(models.Model):
    """A person's address; what they receive hangs on their subscriptions."""

    email = models.EmailField(max_length=254, help_text="As the reader wrote it, normalised.")
    email_key = models.CharField(
        max_length=254,
        unique=True,
        editable=False,
        help_text="What two spellings of one address have in common (addresses.compare_key).",
    )
    name = models.CharField(max_length=120, blank=True, validators=[one_line])
    language = models.CharField(max_length=16, blank=True)
    timezone = models.CharField(max_length=64, blank=True, validators=[validate_timezone])
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # An address goes into the SMTP dialogue: a line break or space there is a command.
            models.CheckConstraint(
                condition=~models.Q(email__regex=r"[\s<>]"), name="subscriber_email_one_word"
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Subscription(models.Model):
    """One reader's subscription to one newsletter."""

    class Status(models.TextChoices):
        PENDING = "pending", "waiting for confirmation"
        ACTIVE = "active", "active"
        UNSUBSCRIBED = "unsubscribed", "unsubscribed"

    # From → to. PENDING → PENDING is a second sign-up before the first was confirmed.
    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.PENDING, Status.ACTIVE, Status.UNSUBSCRIBED},
        Status.ACTIVE: {Status.UNSUBSCRIBED},
        Status.UNSUBSCRIBED: {Status.PENDING},
    }

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="subscriptions"
    )
    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.PROTECT, related_name="subscriptions"
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    generation = models.PositiveIntegerField(
        default=1,
        editable=False,
        help_text="Grows with each sign-up after leaving, so that old confirmation links die.",
    )
    muted_sections = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Ids of sections this reader does not want.",
    )
    created_at = models.DateTimeField(default=now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The intention to send a confirmation mail, and its outcome. A worker leases the intention by
    # moving the due time forward, so a crash or a lost queue delays the mail and no more.
    mail_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # One reader has one subscription to a newsletter, whatever they do.
            models.UniqueConstraint(
                fields=["subscriber", "newsletter"], name="subscription_once_per_newsletter"
            ),
            # MOVES speaks of these states and no others.
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "active", "unsubscribed"]),
                name="subscription_status_known",
            ),
            # Nobody is active without having confirmed.
            models.CheckConstraint(
                condition=~models.Q(status="active", confirmed_at__isnull=True),
                name="subscription_active_is_confirmed",
            ),
        ]
        indexes = [
            # delivery.plan: the audience of an edition, in id order.
            models.Index(
                fields=["newsletter", "id"],
                name="subscription_audience",
                condition=models.Q(status="active"),
            ),
            # subscribers.tasks: confirmation mails whose task was lost.
            models.Index(
                fields=["mail_due_at"],
                name="subscription_mail_due",
                condition=models.Q(mail_due_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} · {self.newsletter}"


class Consent(models.Model):
    """A record of what a reader agreed to (or withdrew), when and where; never changed."""

    class Kind(models.TextChoices):
        SIGNUP = "signup", "sign-up"
        CONFIRMATION = "confirmation", "confirmation"
        IMPORT = "import", "import"
        WITHDRAWAL = "withdrawal", "withdrawal"

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="consents"
    )
    kind = models.CharField(max_length=16, choices=Kind)
    wording = models.TextField(help_text="The sentence the reader saw beside the button.")
    wording_version = models.CharField(max_length=16)
    page = models.CharField(max_length=500, blank=True)
    language = models.CharField(max_length=16, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "consent records"
        constraints = [
            # The ledger is read by kind in an audit; an unknown kind would be invisible.
            models.CheckConstraint(
                condition=models.Q(kind__in=["signup", "confirmation", "import", "withdrawal"]),
                name="consent_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.subscription}"


class Suppression(models.Model):
    """An address that gets no mail whatever it subscribes to."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", "hard bounce"
        COMPLAINT = "complaint", "complaint"
        MANUAL = "manual", "by hand"

    email_key = models.CharField(max_length=254, unique=True)
    reason = models.CharField(max_length=16, choices=Reason)
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # Skips are counted by reason; an unknown one could not be explained.
            models.CheckConstraint(
                condition=models.Q(reason__in=["bounce", "complaint", "manual"]),
                name="suppression_reason_known",
            ),
        ]

    def __str__(self) -> str:
        return self.email_key
