"""Add one story by its URL or by its pasted text."""

from __future__ import annotations

from datetime import datetime

from digest.models import Story
from subscribers.models import Newsletter, Section


class UnusableStory(Exception):
    """Nothing to print was found; the message says why in plain words."""


def add_from_url(
    *, newsletter: Newsletter, url: str, section: Section | None, now: datetime
) -> Story:
    """Read the page at `url` into a story; one the newsletter has already is returned as it is."""
    raise NotImplementedError


def add_from_text(
    *, newsletter: Newsletter, text: str, section: Section | None, now: datetime, url: str = ""
) -> Story:
    """Read an article's pasted text into a story."""
    raise NotImplementedError
