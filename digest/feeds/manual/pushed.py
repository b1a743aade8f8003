"""Store and correct stories that a newsroom's own program sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import Q

from digest.feeds import drafts, sanitise, store, urls
from digest.feeds.dates import past
from digest.filing.apply import file_stories, rules_of
from digest.models import EditionItem, Story
from subscribers.models import Newsletter, Section

# Fields that a program may correct besides drafts.SOURCE_FIELDS. Only drafts.SOURCE_FIELDS tell
# whether an editor has changed the story.
_ALSO_CORRECTABLE = ("image_alt", "text", "url")


class UnusableStory(Exception):
    """There is nothing to print; the message says why in plain words."""


class PushOutcome(StrEnum):
    """What became of it; `kept`: editors have changed or placed it, or it came unchanged."""

    ADDED = "added"
    UPDATED = "updated"
    KEPT = "kept"


@dataclass(frozen=True)
class PushedStory:
    """A story as a program sends it; markup in it is removed."""

    title: str
    url: str = ""
    text: str = ""
    external_id: str = ""
    summary: str = ""
    author: str = ""
    source_name: str = ""
    image_url: str = ""
    image_alt: str = ""
    image_credit: str = ""
    # None: nobody knows.
    published_at: datetime | None = None


def push(
    *, newsletter: Newsletter, pushed: PushedStory, section: Section | None = None, now: datetime
) -> tuple[Story, PushOutcome]:
    """Store the story, or correct the one of the same URL or id, and say what became of it.

    As with feeds, only the source that brought a story corrects it, and only while it is in no
    edition and no editor has changed its text.

    Raises:
        UnusableStory: its title, URL or text cannot be used.
    """
    draft = _draft(newsletter, pushed, section, now)
    with transaction.atomic():
        known = _known(draft)
        if known is None:
            try:
                with transaction.atomic():
                    draft.save(force_insert=True)
            except IntegrityError:  # another request stored it at this moment
                known = _known(draft)
            if known is None:
                return draft, PushOutcome.ADDED
        return known, _correct(known, draft)


def _draft(
    newsletter: Newsletter, pushed: PushedStory, section: Section | None, now: datetime
) -> Story:
    title, url = sanitise.title(pushed.title), urls.canonical_url(pushed.url)
    text = sanitise.plain_text(pushed.text) and pushed.text.strip()
    if not title:
        raise UnusableStory("The title has no readable characters.")
    if pushed.url and not url:
        raise UnusableStory("The URL is not an http or https URL that can be used.")
    if not url and not text:
        raise UnusableStory("The text has no readable characters, and there is no URL.")
    text_hash = sha256(f"{title}\n{text}".encode()).hexdigest()
    image_url = urls.web_url(pushed.image_url)
    story = Story(
        newsletter=newsletter,
        section=section,
        # A section that the program names is its word; without one the rules decide.
        section_is_pinned=section is not None,
        origin=Story.Origin.API,
        url=url,
        identity=urls.identity(url) if url else text_hash,
        guid=_guid(pushed.external_id),
        title=title,
        summary=sanitise.summary(pushed.summary, title=title),
        text=text,
        author=sanitise.name(pushed.author, 200),
        source_name=sanitise.name(pushed.source_name),
        image_url=image_url,
        image_alt=sanitise.name(pushed.image_alt, 300) if image_url else "",
        image_credit=sanitise.name(pushed.image_credit, 200) if image_url else "",
        published_at=past(pushed.published_at, now=now),
        added_at=now,
    )
    story.source_hash = drafts.source_hash(story)
    file_stories([story], rules_of(newsletter.pk))
    return story


def _guid(external_id: str) -> str:
    return sha256(f"pushed {external_id}".encode()).hexdigest() if external_id else ""


def _known(draft: Story) -> Story | None:
    """Return the draft's stored story, locked; its own id is decisive, since a URL may change."""
    same = Q(identity=draft.identity)
    if draft.guid:
        same |= Q(guid=draft.guid)
    found = Story.objects.select_for_update(of=("self",)).filter(same, newsletter=draft.newsletter)
    return min(found, key=lambda story: story.guid != draft.guid, default=None)


def _correct(story: Story, draft: Story) -> PushOutcome:
    is_pushed = story.origin == Story.Origin.API
    placed = EditionItem.objects.filter(story=story, released=False).exists()
    if not is_pushed or placed or not store.may_update(story, draft):
        return PushOutcome.KEPT
    fields = [*drafts.SOURCE_FIELDS, *_ALSO_CORRECTABLE, "source_hash"]
    for name in fields:
        setattr(story, name, getattr(draft, name))
    file_stories([story], rules_of(story.newsletter_id))
    story.save(update_fields=[*fields, "section"])
    return PushOutcome.UPDATED
