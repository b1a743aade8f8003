"""One issue of a newsletter, from proposal to frozen page."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.timezone import now

from digest.models.schedules import Cadence, Schedule
from digest.models.stories import Story
from subscribers.models import Newsletter, Section, one_line, validate_time


class Edition(models.Model):
    """One issue: what it says, where it stands, and when it goes out.

    The status changes only along MOVES. Each move is a named function of its stage
    (decide.approve, planning.start …) that makes a conditional UPDATE and looks at the result.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        HELD = "held", "held for the editors"
        APPROVED = "approved", "approved"
        SENDING = "sending", "sending"
        SENT = "sent", "sent"
        SKIPPED = "skipped", "skipped"

    class Reason(models.TextChoices):
        """Why an edition was skipped or held."""

        TOO_FEW_STORIES = "too-few-stories", "too few stories"
        PAST_DEADLINE = "past-deadline", "past its deadline"
        NOT_APPROVED = "not-approved", "nobody approved it"
        CHANGED = "changed", "changed after it was approved"
        NOT_SENDABLE = "not-sendable", "failed its preflight checks"
        REFUSED = "refused", "the relay refuses our mail"
        BY_EDITOR = "by-editor", "skipped by an editor"
        STOPPED = "stopped", "stopped by an editor"
        AUDIENCE = "audience", "an unusual number of readers"

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.DRAFT: {Status.HELD, Status.APPROVED, Status.SKIPPED},
        Status.HELD: {Status.DRAFT, Status.APPROVED, Status.SKIPPED, Status.SENDING},
        Status.APPROVED: {Status.DRAFT, Status.HELD, Status.SENDING, Status.SKIPPED},
        # Skipped: the deadline came and not one message had gone out.
        Status.SENDING: {Status.HELD, Status.SENT, Status.SKIPPED},
        # An operator may have failed messages sent again.
        Status.SENT: {Status.SENDING},
        Status.SKIPPED: {Status.DRAFT},
    }
    # The states in which an editor may change what the edition says.
    EDITABLE: ClassVar[set[str]] = {Status.DRAFT, Status.HELD, Status.APPROVED}

    newsletter = models.ForeignKey(Newsletter, on_delete=models.PROTECT, related_name="editions")
    schedule = models.ForeignKey(
        Schedule, on_delete=models.SET_NULL, null=True, blank=True, related_name="editions"
    )
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slot_date = models.DateField(help_text="The edition's date in the newsroom's time zone.")
    cadence = models.CharField(
        max_length=8,
        choices=Cadence,
        default=Cadence.DAILY,
        db_default=Cadence.DAILY,
        editable=False,
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT, editable=False)
    reason = models.CharField(max_length=32, choices=Reason, blank=True, editable=False)
    reason_detail = models.CharField(max_length=300, blank=True, editable=False)

    subject = models.CharField(max_length=150, blank=True, validators=[one_line])
    preheader = models.CharField(
        max_length=200,
        blank=True,
        validators=[one_line],
        help_text="The line that inboxes show after the subject.",
    )
    note = models.TextField(blank=True, help_text="A note from the editor, above the stories.")

    sends_at = models.DateTimeField(validators=[validate_time])
    deadline_at = models.DateTimeField(validators=[validate_time])
    # Both are set if the edition follows the readers' clocks: the hour on each reader's clock, and
    # when the last reader gets it. Until sending starts, `last_wave_at` is an outer bound; then it
    # is the time of the last actual reader. If both are empty, `sends_at` holds for everybody.
    local_time = models.TimeField(null=True, blank=True, editable=False)
    last_wave_at = models.DateTimeField(null=True, blank=True, editable=False)
    drafted_at = models.DateTimeField(default=now, editable=False)
    approved_at = models.DateTimeField(null=True, blank=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    # SHA-256 of what was approved (rendering.content_hash). Any later edit voids the
    # approval.
    approved_hash = models.CharField(max_length=64, blank=True, editable=False)
    # SHA-256 of what its schedule proposed. A schedule that sends what nobody approved sends only
    # that. Empty: it was drafted by hand after its send time, or an approval of it was voided.
    proposed_hash = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False
    )
    # When editors are due to be told that this edition is held, that it was skipped, or that it did
    # not reach every reader by its deadline; empty: not due. A notice is leased
    # like a confirmation (mail_due_at).
    notice_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When editors are due to be told of the draft, and to be reminded that nobody has approved it;
    # empty: not due. Each is leased like a notice. Only a draft's are looked at (decide.remind).
    draft_notice_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    reminder_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When the autopilot last looked for fresher stories, and the ids of the stories that it has
    # proposed; null: unknown. Those that are gone from the edition an editor took out.
    refreshed_at = models.DateTimeField(null=True, blank=True, editable=False)
    proposed_stories = ArrayField(models.BigIntegerField(), null=True, blank=True, editable=False)
    # The edition that a correction corrects. The correction goes only to readers who got that one
    # in a revision up to `corrects_through`.
    corrects = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="corrections",
    )
    corrects_through = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Of a correction: it is for readers of the revisions up to this one.",
    )
    # The story that an extra edition brings as breaking news, beside the schedule; empty: it is no
    # extra edition.
    extra_story = models.ForeignKey(
        Story,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        # Editions are few, and stories are never deleted.
        db_index=False,
        related_name="+",
    )
    # Increased when an edition that was stopped in mid-send is approved with changed content.
    revision = models.PositiveSmallIntegerField(default=1, editable=False)
    sending_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Planning goes through the audience in batches: the last subscription that is planned, and
    # when planning was finished.
    planned_to = models.BigIntegerField(default=0, editable=False)
    planned_at = models.DateTimeField(null=True, blank=True, editable=False)
    # How many readers it was started for, and how many a person has accepted.
    audience = models.PositiveIntegerField(null=True, blank=True, editable=False)
    audience_accepted = models.PositiveIntegerField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-sends_at"]
        # Beside Django's own "change", which lets somebody edit. digest.admin.edition.rights has
        # what each of them is asked for.
        permissions = [
            ("approve_edition", "Can approve editions"),
            ("send_edition", "Can send and stop editions"),
        ]
        constraints = [
            # One slot makes one edition however many beats run.
            models.UniqueConstraint(
                fields=["newsletter", "schedule", "slot_date"],
                name="edition_once_per_slot",
                condition=models.Q(corrects=None),
            ),
            # Without a schedule there is one edition of each cadence per date, beside extra ones.
            models.UniqueConstraint(
                fields=["newsletter", "slot_date", "cadence"],
                name="edition_by_hand_once_a_day",
                condition=models.Q(corrects=None, schedule=None, extra_story=None),
            ),
            # A second click makes no second extra edition, and nobody gets the same news twice.
            models.UniqueConstraint(
                fields=["extra_story"],
                name="edition_one_extra_per_story",
                condition=~models.Q(status="skipped"),
            ),
            # The cadence decides the audience; an unknown one would have no readers.
            models.CheckConstraint(
                condition=models.Q(cadence__in=["daily", "weekly"]), name="edition_cadence_known"
            ),
            # decide.waves computes from both how late a reader's copy may be.
            models.CheckConstraint(
                condition=models.Q(local_time__isnull=True, last_wave_at__isnull=True)
                | models.Q(local_time__isnull=False, last_wave_at__isnull=False),
                name="edition_waves_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["draft", "held", "approved", "sending", "sent", "skipped"]
                ),
                name="edition_status_known",
            ),
            # Every skip has a reason that is stored and shown.
            models.CheckConstraint(
                condition=~models.Q(status__in=["skipped", "held"], reason=""),
                name="edition_stop_has_reason",
            ),
            # What was approved is what is sent: no approval without its hash.
            models.CheckConstraint(
                condition=~models.Q(status="approved", approved_hash=""),
                name="edition_approval_has_hash",
            ),
        ]
        indexes = [
            # tasks.tick: editions whose time has come.
            models.Index(
                fields=["sends_at"],
                name="edition_due",
                condition=models.Q(status__in=["draft", "held", "approved"]),
            ),
            # tasks.tick: editions under way.
            models.Index(
                fields=["id"], name="edition_sending", condition=models.Q(status="sending")
            ),
        ]

    def __str__(self) -> str:
        kind = " · the week" if self.cadence == Cadence.WEEKLY else ""
        kind += " · correction" if self.corrects_id else ""
        kind += " · breaking news" if self.is_extra else ""
        return f"{self.newsletter} · {self.slot_date:%-d %B %Y}{kind}"

    def get_absolute_url(self) -> str:
        return reverse("edition", args=[self.public_id])

    @property
    def reminds_at(self) -> datetime | None:
        """When its editors are to be reminded of it; None if its schedule reminds nobody."""
        if self.schedule is None or not self.schedule.reminder_minutes:
            return None
        return self.sends_at - timedelta(minutes=self.schedule.reminder_minutes)

    @property
    def is_extra(self) -> bool:
        """Whether it brings breaking news beside the schedule."""
        return self.extra_story_id is not None

    @property
    def goes_out_on_approval(self) -> bool:
        """Whether it waits for nothing but an approval, as corrections and breaking news do."""
        return self.corrects_id is not None or self.is_extra

    @property
    def is_for_older_revisions(self) -> bool:
        """Whether a correction leaves out the readers who got the newest revision."""
        return bool(self.corrects and self.corrects.revision > (self.corrects_through or 0))


class EditionItem(models.Model):
    """A story's place in an edition, with the editor's own texts for it."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="items")
    # The edition's newsletter, repeated here for the constraint below.
    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.PROTECT, editable=False, related_name="+"
    )
    story = models.ForeignKey(Story, on_delete=models.PROTECT, related_name="items")
    section = models.ForeignKey(
        Section, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    position = models.PositiveSmallIntegerField(default=0, db_index=False)
    headline = models.CharField(
        max_length=300, blank=True, validators=[one_line], help_text="Empty: the story's title."
    )
    summary = models.TextField(blank=True, help_text="Empty: the story's summary.")
    again = models.BooleanField(
        default=False, help_text="Print it although the newsletter has printed it before."
    )
    # Why the draft proposed it, in words; empty if an editor chose it.
    why = models.CharField(max_length=300, blank=True, default="", db_default="", editable=False)
    # The terms of its score, as `digest.ranking.terms.Term.as_json` has them; null: no draft
    # proposed it, or that was before they were kept.
    terms = models.JSONField(null=True, blank=True, editable=False)
    # Of a follow-up: what was printed of its event before, so that readers see a mark. An editor
    # may take the mark off. It has no index, as only the deletion of an item looks rows up by it.
    follows = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
    )
    # Set when the edition is skipped, so that a later one can print the story.
    released = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = "story in the edition"
        verbose_name_plural = "stories in the edition"
        constraints = [
            models.UniqueConstraint(fields=["edition", "story"], name="item_once_per_edition"),
            # A story is sent once per newsletter, unless an editor says "again" on purpose.
            models.UniqueConstraint(
                fields=["newsletter", "story"],
                name="item_once_per_newsletter",
                condition=models.Q(again=False, released=False),
            ),
        ]

    def __str__(self) -> str:
        return self.shown_headline

    @property
    def shown_headline(self) -> str:
        return self.headline or self.story.title

    @property
    def is_follow_up(self) -> bool:
        """Whether readers see a mark that they have read of its event before."""
        return self.follows_id is not None

    @property
    def shown_summary(self) -> str:
        return self.summary or self.story.summary


class Frozen(models.Model):
    """An edition as it is sent: rendered once, cut into segments, encoded once.

    `text_segments` and `html_segments` are lists of `{"body": str, "section": id, "story": id}` in
    the order of the page. `body` is quoted-printable ASCII. `section` and `story` are null outside
    of a section and a story; `story` is the EditionItem's id. Where a reader's own value goes, a
    segment has `"placeholder": "UNSUBSCRIBE"` instead of a body. rendering.freeze writes the
    segments, rendering.personalise joins them.
    """

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="frozen_pages")
    revision = models.PositiveSmallIntegerField(default=1)
    content_hash = models.CharField(max_length=64)
    # The header lines that every reader's message has in common, CRLF-separated, ASCII.
    headers = models.TextField()
    text_segments = models.JSONField()
    html_segments = models.JSONField()
    # The web version, which stays what it was while the next revision is being written.
    web_html = models.TextField(default="")
    # The URLs that the page leads to, in order of appearance.
    links = models.JSONField(default=list)
    html_bytes = models.PositiveIntegerField(help_text="Size of the HTML part, decoded.")
    frozen_at = models.DateTimeField(default=now)

    class Meta:
        verbose_name = "frozen page"
        constraints = [
            # What a revision said stays on record: the ledger names the revision that each reader
            # got.
            models.UniqueConstraint(fields=["edition", "revision"], name="frozen_once_per_revision")
        ]

    def __str__(self) -> str:
        return f"{self.edition} · {self.content_hash[:8]}"
