"""Edit what an edition says: its stories, their order and its texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, Exists, Max, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from digest.editions.decide.approve import void_if_changed
from digest.editions.draft.follow_ups import followed_by
from digest.models import Cadence, Edition, EditionItem, Story


class NotEditable(Exception):
    """The edition is being sent, was sent, or was skipped, so it can no longer be edited."""

    def __init__(self, edition: Edition) -> None:
        super().__init__(f"{edition} is {edition.get_status_display()}; it cannot be edited.")


class AlreadyPrinted(Exception):
    """The newsletter has printed this story before, and nobody asked to print it again."""

    def __init__(self, story: Story, edition: Edition) -> None:
        super().__init__(
            f"“{story.title}” is in the edition of {edition.slot_date:%-d %B %Y} already."
        )
        self.story = story
        self.edition = edition


@dataclass(frozen=True)
class ItemEdit:
    """An editor's texts for a story; an empty one means the story's own.

    `is_follow_up` keeps the mark of a follow-up, if it has one.
    """

    headline: str = ""
    summary: str = ""
    section_id: int | None = None
    is_follow_up: bool = True


def is_editable(edition: Edition) -> bool:
    """Whether an editor may change it: not while it is being sent, nor once it is sent or skipped.

    An edition stopped in mid-send is held, and held editions are editable, so that a mistake in one
    can be put right.
    """
    return edition.status in Edition.EDITABLE


@transaction.atomic
def add_story(*, edition_id: int, story_id: int, again: bool = False) -> EditionItem:
    """Add a story at the edition's end; a story that is in it already stays as it is.

    If readers have got its event by an older report, it is marked as a follow-up.
    """
    edition = _lock_editable(edition_id)
    story = Story.objects.get(pk=story_id, newsletter=edition.newsletter_id)
    if existing := edition.items.filter(story=story).first():
        return existing
    printed = printed_items(edition).filter(story=story).first()
    if printed and not again:
        raise AlreadyPrinted(story, printed.edition)
    last = edition.items.aggregate(last=Max("position"))["last"]
    item = edition.items.create(
        newsletter_id=edition.newsletter_id,
        story=story,
        section_id=story.section_id,
        position=0 if last is None else last + 1,
        # A correction or a weekly edition does not use a story up: it repeats the story, or shows
        # it to few readers.
        again=printed is not None or edition.corrects_id is not None or _is_weekly(edition),
        # Readers see that they know its event, unless an editor takes the mark off.
        follows=None if printed else followed_by(story, edition),
    )
    void_if_changed(edition_id=edition_id)
    return item


@transaction.atomic
def remove_item(*, edition_id: int, item_id: int) -> None:
    """Take a story out; a later edition may print it.

    If readers have the edition already, the story is hidden, so that no later one proposes it.
    """
    edition = _lock_editable(edition_id)
    if edition.sending_at:
        Story.objects.filter(items=item_id, items__edition=edition).update(is_hidden=True)
    edition.items.filter(pk=item_id).delete()
    void_if_changed(edition_id=edition_id)


@transaction.atomic
def edit_item(*, edition_id: int, item_id: int, edit: ItemEdit) -> None:
    """Set an item's headline, summary and section as the editor wants them."""
    fields = {"headline": edit.headline, "summary": edit.summary, "section_id": edit.section_id}
    if not edit.is_follow_up:
        fields["follows"] = None
    _lock_editable(edition_id).items.filter(pk=item_id).update(**fields)
    void_if_changed(edition_id=edition_id)


@transaction.atomic
def set_copy(*, edition_id: int, **fields: str) -> None:
    """Set the edition's subject, preheader and note, those that are given."""
    _lock_editable(edition_id)
    Edition.objects.filter(pk=edition_id).update(**fields)
    void_if_changed(edition_id=edition_id)


@transaction.atomic
def set_stories(*, edition_id: int, story_ids: Sequence[int]) -> None:
    """Make these the edition's stories, in this order; those that stay keep an editor's texts.

    Raises:
        Story.DoesNotExist: a story is not the newsletter's.
        AlreadyPrinted: a story was printed before.
    """
    edition = _lock_editable(edition_id)
    for item in edition.items.exclude(story__in=story_ids):
        remove_item(edition_id=edition_id, item_id=item.pk)
    items = [add_story(edition_id=edition_id, story_id=story_id) for story_id in story_ids]
    reorder(edition_id=edition_id, item_ids=[item.pk for item in items])


@transaction.atomic
def reorder(*, edition_id: int, item_ids: Sequence[int]) -> None:
    """Put the items in this order; items not named follow in the order they had."""
    items = {item.pk: item for item in _lock_editable(edition_id).items.all()}
    named = [items.pop(pk) for pk in item_ids if pk in items]
    in_order = [*named, *items.values()]
    for position, item in enumerate(in_order):
        item.position = position
    EditionItem.objects.bulk_update(in_order, ["position"])
    void_if_changed(edition_id=edition_id)


def move_to_places(item_ids: Sequence[int], places: Mapping[int, int]) -> list[int]:
    """Return the items in the order after some of them moved to a place; the first place is 1.

    Items without a place keep their order in the places that are left. Of two items for one place,
    the one that stands first in the list has it, and the other follows.
    """
    order: list[int | None] = [None] * len(item_ids)
    for pk in sorted((pk for pk in item_ids if pk in places), key=lambda pk: places[pk]):
        wanted = min(max(places[pk], 1), len(order)) - 1
        free = [index for index, taken in enumerate(order) if taken is None]
        order[next((index for index in free if index >= wanted), free[-1])] = pk
    others = iter(pk for pk in item_ids if pk not in places)
    return [next(others) if pk is None else pk for pk in order]


def _lock_editable(edition_id: int) -> Edition:
    """Return the edition, locked against other editors and the tick until the transaction ends."""
    edition = (
        Edition.objects.select_for_update(of=("self",))
        .select_related("newsletter")
        .get(pk=edition_id)
    )
    if not is_editable(edition):
        raise NotEditable(edition)
    return edition


def printed_items(edition: Edition) -> QuerySet[EditionItem]:
    """Return the items whose stories count as printed before when this edition is edited.

    For a correction, none do. For a weekly edition, only those of weekly editions do, because its
    readers get no others.
    """
    items = EditionItem.objects.filter(
        newsletter=edition.newsletter_id, released=False
    ).select_related("edition__newsletter")
    if edition.corrects_id:
        return items.none()
    if _is_weekly(edition):
        return items.filter(edition__cadence=Cadence.WEEKLY, edition__corrects=None)
    return items.filter(again=False)


def _is_weekly(edition: Edition) -> bool:
    return edition.cadence == Cadence.WEEKLY


def addable_stories(edition: Edition, *, term: str = "") -> QuerySet[Story]:
    """Return the stories that can be added, newest first.

    These are the stories not printed yet. If a search term is given, printed stories follow. Each
    story carries `printed`: a note that it was printed before, or an empty text.
    """
    stories = Story.objects.filter(newsletter=edition.newsletter_id).exclude(items__edition=edition)
    # remove_item hides a story that it takes out of an edition that readers have. A search finds
    # such a story, so that it can be added again.
    if not (term and edition.sending_at):
        stories = stories.filter(is_hidden=False)
    stories = stories.annotate(is_printed=Exists(_printed_items_of_the_story(edition.cadence)))
    if term:
        stories = stories.filter(Q(title__icontains=term) | Q(source_name__icontains=term))
    else:
        stories = stories.filter(is_printed=False)
    return stories.annotate(
        printed=Case(When(is_printed=True, then=Value("printed before")), default=Value(""))
    ).order_by("is_printed", Coalesce("published_at", "added_at").desc())


def _printed_items_of_the_story(cadence: str) -> QuerySet[EditionItem]:
    """Return the items of the outer query's story in editions of this cadence."""
    return EditionItem.objects.filter(
        newsletter=OuterRef("newsletter"),
        story=OuterRef("pk"),
        released=False,
        edition__corrects=None,
        edition__cadence=cadence,
    )
