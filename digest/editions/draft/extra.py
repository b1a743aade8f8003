"""Draft an extra edition: one story as breaking news, beside the schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from digest.models import Edition, EditionItem, Story
from digest.shorten import truncate, truncate_at_sentence

# Late breaking news is no news.
USEFUL_FOR = timedelta(hours=3)

# The headline is the news, so it is the subject as it stands; the fields hold no more than this.
SUBJECT_LIMIT, PREHEADER_LIMIT = 150, 200


class NoExtraEditions(Exception):
    """The operator lets no extra editions out."""


class ExtraExists(Exception):
    """The story has its extra edition already."""

    def __init__(self, extra: Edition) -> None:
        super().__init__("This story has an extra edition already.")
        self.extra = extra


def draft_extra(*, story_id: int, actor: str = "", now: datetime) -> Edition:
    """Draft an extra edition with the story as its lead; the editor may add others.

    It is due immediately, and goes out as soon as somebody approves it. The story counts as printed
    from now on. If an edition has it already, the extra edition prints it again. `actor` says in
    the edition's log who it is, if it is not a user of the admin.

    Raises:
        NoExtraEditions: EXTRA_EDITIONS_PER_DAY is 0.
        ExtraExists: the story has one that was not skipped.
    """
    if not settings.EXTRA_EDITIONS_PER_DAY:
        raise NoExtraEditions("No extra editions are sent: EXTRA_EDITIONS_PER_DAY is 0.")
    with transaction.atomic():
        # Two clicks take turns, and so does a draft that prints the story at this moment.
        locked = Story.objects.select_for_update(of=("self",))
        story = locked.select_related("newsletter").get(pk=story_id)
        if existing := extra_edition_of(story):
            raise ExtraExists(existing)
        edition = Edition.objects.create(
            newsletter=story.newsletter,
            extra_story=story,
            slot_date=now.astimezone(story.newsletter.zone).date(),
            subject=truncate(story.title, SUBJECT_LIMIT),
            preheader=truncate_at_sentence(
                story.summary or story.newsletter.promise, PREHEADER_LIMIT
            ),
            sends_at=now,
            deadline_at=now + USEFUL_FOR,
            drafted_at=now,
        )
        EditionItem.objects.create(
            edition=edition,
            newsletter=story.newsletter,
            story=story,
            section_id=story.section_id,
            again=places_of(story).exists(),
        )
        if actor:
            edition.log.create(at=now, actor=actor, words=made_from(story))
    return edition


def extra_edition_of(story: Story) -> Edition | None:
    """Return the extra edition that the story has and that was not skipped."""
    extras = Edition.objects.filter(extra_story=story).exclude(status=Edition.Status.SKIPPED)
    return extras.select_related("newsletter").first()


def made_from(story: Story) -> str:
    """Say in a log what the extra edition was made from."""
    source = f" ({story.source_name})" if story.source_name else ""
    return f"Made as breaking news from the story “{truncate(story.title, 300)}”{source}"


def places_of(story: Story) -> QuerySet[EditionItem]:
    """Return the story's places in the editions that print it or have printed it."""
    return EditionItem.objects.filter(story=story, newsletter=story.newsletter_id, released=False)


def places_of_event(story: Story) -> QuerySet[EditionItem]:
    """Return the places of the story and of the other reports of its event, the latest first."""
    reports = Q(story=story)
    if story.event is not None:
        reports |= Q(story__event=story.event)
    items = EditionItem.objects.filter(reports, newsletter=story.newsletter_id, released=False)
    return items.select_related("edition__newsletter", "story").order_by("-edition__sends_at")
