"""Add one story by its URL or by its pasted text."""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from digest.feeds import child_process, fetch, sanitise, urls
from digest.feeds.dates import past
from digest.feeds.manual.pages import read_page
from digest.feeds.manual.pasted import NoArticle, read_pasted
from digest.filing.apply import file_stories, rules_of
from digest.models import Story
from subscribers.models import Newsletter, Section

MAX_PASTE_LENGTH = 200_000
# An editor waits. With the time for reading the page this is less than proxies wait, a minute.
LIMITS = fetch.Limits(connect=5, read=10, total=20)


class CannotAddStory(Exception):
    """Nothing to print was found; the message says why in plain words."""


def add_from_url(
    *, newsletter: Newsletter, url: str, section: Section | None = None, now: datetime
) -> Story:
    """Read the page at `url` into a story; one that the newsletter already has stays as it is.

    Raises:
        CannotAddStory: the page cannot be fetched, takes too long, or has no headline.
    """
    url = url.strip()
    if "://" not in url:
        url = f"https://{url}"
    try:
        fetched = fetch.get(url, allow_hosts=settings.FETCH_ALLOW_HOSTS, limits=LIMITS)
        page = child_process.call(
            read_page, fetched.body, url=fetched.url, content_type=fetched.content_type
        )
    except (fetch.FetchError, child_process.UsedUp) as error:
        raise CannotAddStory(f"{url} could not be read. {error}") from error
    if page is None:
        raise CannotAddStory(f"No headline was found at {url}. Is it an article's page?")
    image = page.image
    return _get_or_create(
        newsletter=newsletter,
        identity=urls.identity(page.url),
        section=section,
        origin=Story.Origin.URL,
        url=page.url,
        title=page.title,
        summary=page.summary,
        author=page.author,
        source_name=page.site_name or host_as_outlet(page.url),
        image_url=image.url if image else "",
        image_alt=page.image_alt if image else "",
        image_width=image.width if image else None,
        image_height=image.height if image else None,
        published_at=past(page.published_at, now=now),
        added_at=now,
    )


def add_from_text(
    *,
    newsletter: Newsletter,
    text: str,
    section: Section | None = None,
    now: datetime,
    url: str = "",
) -> Story:
    """Read an article's pasted text into a story; the same text again is the same story.

    With `url` the headline links there, and nobody knows when that was published. Otherwise it
    links to the text on a page of this site, which is published now.

    Raises:
        CannotAddStory: no headline or no text is found.
    """
    if len(text) > MAX_PASTE_LENGTH:
        raise CannotAddStory(f"The text is longer than {MAX_PASTE_LENGTH:,} characters.")
    link = urls.canonical_url(url)
    if url.strip() and not link:
        raise CannotAddStory(f"“{url}” is not an http or https URL.")
    try:
        article = read_pasted(text)
    except NoArticle as error:
        raise CannotAddStory(str(error)) from error
    text_hash = sha256(f"{article.title}\n{article.text}".encode()).hexdigest()
    return _get_or_create(
        newsletter=newsletter,
        identity=urls.identity(link) if link else text_hash,
        section=section,
        origin=Story.Origin.TEXT,
        url=link,
        title=article.title,
        summary=article.summary,
        text=article.text,
        author=article.author,
        source_name=host_as_outlet(link),
        image_credit=article.image_credit,
        image_alt=article.image_alt,
        # Nobody said when the other page was published; the text on ours is published now.
        published_at=None if link else now,
        added_at=now,
    )


def _get_or_create(*, newsletter: Newsletter, identity: str, **fields: Any) -> Story:
    """Return a new story with these fields, or the stored one of the same identity unchanged.

    Without a section it is filed by the newsletter's rules. One that is given is the editor's word.
    """
    story = Story(newsletter=newsletter, identity=identity, **fields)
    story.section_is_pinned = story.section_id is not None
    file_stories([story], rules_of(newsletter.pk))
    filed = {"section_id": story.section_id, "section_is_pinned": story.section_is_pinned}
    del fields["section"]
    stored, _ = Story.objects.get_or_create(
        newsletter=newsletter, identity=identity, defaults=fields | filed
    )
    return stored


def host_as_outlet(url: str) -> str:
    """Return the URL's host, which stands for the outlet's name if that is unknown."""
    host = urlsplit(url).hostname or ""
    return sanitise.name(re.sub(r"^(?:www|m|mobile|amp)\.(?=.*\.)", "", host))
