"""Who reads us, and what they subscribed to."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from subscribers.models.catalogue import Newsletter
from subscribers.models.fields import one_line, validate_timezone


class Subscriber(models.Model):
    """A person's address; their subscriptions say what they receive."""

    email = models.EmailField(max_length=254, help_text="As the reader wrote it, normalised.")
    # Unique by a constraint, because `unique` makes a second index for LIKE. With collation "C" one
    # index serves both, and nothing is sorted or compared by a language's rules.
    email_key = models.CharField(
        max_length=254,
        db_collation="C",
        editable=False,
        help_text="What two spellings of one address have in common (addresses.compare_key).",
    )
    mailbox = models.CharField(
        max_length=254,
        blank=True,
        db_default="",
        db_collation="C",
        editable=False,
        help_text="What the addresses of one mailbox have in common (addresses.mailbox), because "
        "limits count mailboxes. Empty if an older release stored the reader.",
    )
    email_as_typed = models.CharField(
        max_length=320,
        blank=True,
        db_default="",
        editable=False,
        help_text="What the reader typed, if it differs from the address that is used.",
    )
    name = models.CharField(max_length=120, blank=True, validators=[one_line])
    language = models.CharField(max_length=16, blank=True)
    timezone = models.CharField(max_length=64, blank=True, validators=[validate_timezone])
    created_at = models.DateTimeField(default=now, editable=False)
    # When the person was erased. The row is kept, so that what was sent can still be counted.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # Two spellings of one address are one reader.
            models.UniqueConstraint(fields=["email_key"], name="subscriber_once_per_address"),
            # An address goes into the SMTP dialogue, where a line break or space in it could make
            # a command.
            models.CheckConstraint(
                condition=~models.Q(email__regex=r"[\s<>]"), name="subscriber_email_one_word"
            ),
        ]
        indexes = [
            # The admin's list of subscribers, filtered by day.
            models.Index(fields=["created_at"], name="subscriber_by_time"),
            # enrol, pending.remind, transfer.statements: the addresses of one mailbox.
            models.Index(
                fields=["mailbox"],
                name="subscriber_of_mailbox",
                condition=~models.Q(mailbox=""),
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

    class Frequency(models.TextChoices):
        DAILY = "daily", "every edition"
        WEEKDAYS = "weekdays", "Monday to Friday"
        WEEKLY = "weekly", "the best of the week, once a week"

    class Mail(models.TextChoices):
        """Which mail is due, while `mail_due_at` is set."""

        CONFIRM = "confirm", "confirmation link"
        REMINDER = "reminder", "reminder to confirm"
        WELCOME = "welcome", "welcome"

    class EndReason(models.TextChoices):
        """The reason that a reader gives for leaving."""

        TOO_MANY = "too-many", "too many mails"
        NOT_FOR_ME = "not-for-me", "not what I expected"
        NEVER_ASKED = "never-asked", "I never signed up"
        ELSEWHERE = "elsewhere", "I read the news elsewhere"
        OTHER = "other", "something else"

    # The `source` of subscriptions from a list. Growth is counted by page, and an import has none.
    FROM_LIST: ClassVar[str] = "import"
    # From → to. PENDING → PENDING is a second sign-up before the first was confirmed.
    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.PENDING: {Status.PENDING, Status.ACTIVE, Status.UNSUBSCRIBED},
        Status.ACTIVE: {Status.UNSUBSCRIBED},
        # To ACTIVE only in the hour after leaving, if the reader takes it back on that very page.
        Status.UNSUBSCRIBED: {Status.PENDING, Status.ACTIVE},
    }

    # subscription_once_per_newsletter begins with this field, so it needs no index of its own.
    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )
    # There is no foreign key in the database: for each new row it would lock the newsletter's row,
    # which is the same one for all sign-ups, and in an import of a million that takes seconds. A
    # newsletter that has had readers cannot be deleted.
    newsletter = models.ForeignKey(
        Newsletter,
        on_delete=models.PROTECT,
        related_name="subscriptions",
        db_index=False,
        db_constraint=False,
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    generation = models.PositiveIntegerField(
        default=1,
        editable=False,
        help_text="Grows with each sign-up after leaving, so that old confirmation links expire.",
    )
    muted_sections = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Ids of sections this reader does not want.",
    )
    frequency = models.CharField(
        max_length=16, choices=Frequency, default=Frequency.DAILY, db_default=Frequency.DAILY
    )
    wants_extras = models.BooleanField(
        "wants breaking news",
        default=True,
        db_default=True,
        help_text="Extra editions, beside the usual ones.",
    )
    paused_until = models.DateTimeField(null=True, blank=True)
    preferred_time = models.TimeField(
        null=True,
        blank=True,
        help_text="When the reader wants editions that are sent by the readers' clocks. Empty: the "
        "schedule's hour.",
    )
    source = models.CharField(
        max_length=300,
        blank=True,
        db_default="",
        editable=False,
        help_text="The page of the sign-up: host and path, with no query.",
    )
    created_at = models.DateTimeField(default=now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_why = models.CharField(
        max_length=16, choices=EndReason, blank=True, db_default="", editable=False
    )
    moved_to = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="moved_here",
        editable=False,
        db_index=False,
        help_text="The subscription that replaced this one when two addresses turned out to belong "
        "to one reader.",
    )
    # The intention to send a confirmation mail, and its outcome. A worker leases the intention by
    # moving the due time forward, so a crash or a lost queue only delays the mail.
    mail_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When the mail was first due; set when a worker first tries it. The time for retries counts
    # from here. A value from before the reader's newest consent belongs to another mail.
    mail_due_since = models.DateTimeField(null=True, blank=True, editable=False)
    mail_kind = models.CharField(
        max_length=16, choices=Mail, default=Mail.CONFIRM, db_default=Mail.CONFIRM, editable=False
    )
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
    mail_sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # One reader has one subscription to a newsletter, whatever they do.
            models.UniqueConstraint(
                fields=["subscriber", "newsletter"], name="subscription_once_per_newsletter"
            ),
            # MOVES covers these states and no others.
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "active", "unsubscribed"]),
                name="subscription_status_known",
            ),
            # An audience is selected by frequency; a reader with an unknown one would get nothing.
            models.CheckConstraint(
                condition=models.Q(frequency__in=["daily", "weekdays", "weekly"]),
                name="subscription_frequency_known",
            ),
            # Nobody is active without having confirmed.
            models.CheckConstraint(
                condition=~models.Q(status="active", confirmed_at__isnull=True),
                name="subscription_active_is_confirmed",
            ),
        ]
        indexes = [
            # planning.start: the audience of an edition, in id order.
            models.Index(
                fields=["newsletter", "id"],
                name="subscription_audience",
                condition=models.Q(status="active"),
            ),
            # erasure, data_export: the former subscriptions of the same reader. Few rows have a
            # moved_to.
            models.Index(
                fields=["moved_to"],
                name="subscription_moved",
                condition=models.Q(moved_to__isnull=False),
            ),
            # api.readers, transfer.exporting: a newsletter's readers of any status, in id order.
            models.Index(fields=["newsletter", "id"], name="subscription_of_newsletter"),
            # pending.erase_unconfirmed: the sign-ups to purge.
            models.Index(
                fields=["created_at"],
                name="subscription_pending",
                condition=models.Q(status="pending"),
            ),
            # pending.remind: the readers to remind. It is read at every tick, and must stay fast
            # however many readers an import has asked to confirm.
            models.Index(
                fields=["mail_sent_at"],
                name="subscription_to_remind",
                condition=models.Q(
                    status="pending",
                    mail_kind="confirm",
                    mail_due_at__isnull=True,
                    reminded_at__isnull=True,
                ),
            ),
            # subscribers.tasks: mails that are due.
            models.Index(
                fields=["mail_due_at"],
                name="subscription_mail_due",
                condition=models.Q(mail_due_at__isnull=False),
            ),
            # inactive: the readers who left longest ago, in batches.
            models.Index(
                fields=["ended_at", "id"],
                name="subscription_left_by_time",
                condition=models.Q(status="unsubscribed"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber} · {self.newsletter}"
