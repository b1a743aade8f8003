"""Arrange an edition's stories for the page: the lead, the rest by section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from digest.models import Edition, EditionItem, Story
from digest.rendering import links
from digest.rendering.safe_text import (
    escape_placeholders,
    paragraphs,
    single_line,
)
from digest.shorten import truncate_at_sentence

HERO_WIDTH = 536  # pixels: the 600 of the page less its margins
THUMBNAIL_WIDTH = 104
# An image of 1800 by 1801 pixels is square to everybody who looks at it. The limits of height to
# width allow for some pixels that a resizing rounded or a crop missed.
_RATIO_TOLERANCE = 1.03
_LEAD_SUMMARY = 320
_SUMMARY = 180  # about two lines on a desktop, four on a phone


@dataclass(frozen=True)
class PrintedImage:
    url: str
    alt: str
    credit: str
    width: int
    height: int
    # As printed, if the picture's own size is known; else 0, and width and height are a guess.
    known_width: int = 0


@dataclass(frozen=True)
class PrintedStory:
    """A story as it is printed; readers mute it by its section."""

    id: int
    headline: str
    summary: str
    source: str
    url: str
    section_id: int | None
    section_name: str
    hero: PrintedImage | None
    thumbnail: PrintedImage | None
    is_follow_up: bool = False


@dataclass(frozen=True)
class PrintedSection:
    """Stories under one heading; stories without a section have no heading."""

    id: int | None
    name: str
    stories: list[PrintedStory]


@dataclass(frozen=True)
class Contents:
    note: list[str]
    lead: PrintedStory | None
    sections: list[PrintedSection]


def arrange(edition: Edition) -> Contents:
    """Return what the edition prints, in order; one query."""
    items = list(edition.items.select_related("story", "section").order_by("position", "id"))
    stories = [_printed_story(item, is_lead=index == 0) for index, item in enumerate(items)]
    return Contents(
        note=paragraphs(edition.note),
        lead=stories[0] if stories else None,
        sections=_by_section(stories[1:]),
    )


def hero_of(story: Story) -> PrintedImage | None:
    """Return the story's image as a lead prints it; None if it would be printed without one."""
    return _image(story, width=HERO_WIDTH, min_width=500, max_ratio=1.0)


def in_printed_order(items: Sequence[EditionItem]) -> list[EditionItem]:
    """Return an edition's items, given by position, in the order in which the page prints them.

    That is the lead, stories without a section, then the sections in order of their first story.
    """
    sections = dict.fromkeys([None, *(item.section_id for item in items[1:])])
    index = {section_id: number for number, section_id in enumerate(sections)}
    return [*items[:1], *sorted(items[1:], key=lambda item: index[item.section_id])]


def _by_section(stories: list[PrintedStory]) -> list[PrintedSection]:
    """Return stories without a section first, then the sections in order of their first story."""
    section_ids = dict.fromkeys([None, *(story.section_id for story in stories)])
    sections = (
        PrintedSection(section_id, own[0].section_name if own else "", own)
        for section_id in section_ids
        for own in [[story for story in stories if story.section_id == section_id]]
    )
    return [section for section in sections if section.stories]


def _printed_story(item: EditionItem, *, is_lead: bool) -> PrintedStory:
    story = item.story
    # A summary by an editor is printed in full.
    summary = single_line(item.summary) or truncate_at_sentence(
        single_line(story.summary), _LEAD_SUMMARY if is_lead else _SUMMARY
    )
    if is_lead:
        hero = hero_of(story)
        thumbnail = None
    else:
        hero = None
        thumbnail = _image(story, width=THUMBNAIL_WIDTH, min_width=80, max_ratio=1.4)
    return PrintedStory(
        id=item.pk,
        headline=single_line(item.shown_headline),
        summary=summary,
        source=single_line(story.source_name or story.author),
        url=escape_placeholders(links.external_url(story.link)),
        section_id=item.section_id,
        section_name=single_line(item.section.name) if item.section else "",
        hero=hero,
        thumbnail=thumbnail,
        is_follow_up=item.is_follow_up,
    )


def _image(story: Story, *, width: int, min_width: int, max_ratio: float) -> PrintedImage | None:
    """Return the story's image at this width; None if it is narrower than `min_width` or too tall.

    `max_ratio` is the greatest height divided by the width. An image of unknown size is assumed to
    be 16:9; the page shows it at its true height.
    """
    url = escape_placeholders(links.external_url(story.image_url))
    known = bool(story.image_width and story.image_height)
    own_width, own_height = (story.image_width, story.image_height) if known else (16, 9)
    ratio = (own_height or 9) / (own_width or 16)
    if not url or ratio > max_ratio * _RATIO_TOLERANCE or (known and (own_width or 0) < min_width):
        return None
    width = min(width, own_width or width) if known else width
    return PrintedImage(
        url=url,
        alt=single_line(story.image_alt),
        credit=single_line(story.image_credit),
        width=width,
        height=max(1, round(width * ratio)),
        known_width=width if known else 0,
    )
