"""Tell by a hash whether an edition still shows what it showed before."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from digest.models import Cadence, Edition, EditionItem
from subscribers.models import Newsletter


def content_hash(edition: Edition) -> str:
    """Return the SHA-256, in hex, of all that the mail shows; one query for the items.

    It covers the pages of pasted stories too, because they become public with the edition.
    """
    items = edition.items.select_related("story", "section")
    content: dict[str, Any] = {
        "date": edition.slot_date.isoformat(),
        "subject": edition.subject,
        "preheader": edition.preheader,
        "note": edition.note,
        "newsletter": _masthead(edition.newsletter),
        "items": [_item(item) for item in items],
    }
    # These keys are added only where they apply. So the hash of every other edition stays what it
    # was before corrections and weekly editions existed.
    if edition.corrects_id:
        content["corrects"] = [edition.corrects_id, edition.corrects_through]
    if edition.cadence != Cadence.DAILY:
        content["cadence"] = edition.cadence
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _masthead(newsletter: Newsletter) -> dict[str, str]:
    return {
        "name": newsletter.name,
        "slug": newsletter.slug,
        "promise": newsletter.promise,
        "from_name": newsletter.from_name,
        "from_email": newsletter.from_email,
        "reply_to": newsletter.reply_to,
        "language": newsletter.language,
        "accent_color": newsletter.accent_color,
        "postal_line": newsletter.postal_line,
    }


def _item(item: EditionItem) -> dict[str, Any]:
    story, section = item.story, item.section
    shown: dict[str, Any] = {
        "story": story.pk,
        "section": [section.pk, section.name, section.position] if section else None,
        "headline": item.shown_headline,
        "summary": item.shown_summary,
        # The link of a pasted story follows from its id and SITE_URL, which no editor changes.
        "url": story.url,
        "source": story.source_name,
        "author": story.author,
        "image": [
            story.image_url,
            story.image_alt,
            story.image_credit,
            story.image_width,
            story.image_height,
        ],
    }
    if item.is_follow_up:
        shown["follow_up"] = True
    if not story.url:
        # The headline leads to a page of ours (digest.views.archive.story). This is what that page
        # shows beside the above.
        dated = story.published_at.isoformat() if story.published_at else None
        shown["page"] = [story.title, story.summary, story.text, dated]
    return shown
