"""Cut an assembled page into segments that are encoded once for all readers."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from html import unescape
from typing import Any

from django.conf import settings

from digest.models import Edition, Frozen
from digest.rendering import headers, identifiers, links, placeholders
from digest.rendering.assemble import MAX_PAGE_BYTES, AssembledPage, assemble, web_page
from digest.rendering.content_hash import content_hash
from digest.rendering.personalise import BOUNDARY
from digest.rendering.quoted_printable import encode

Segment = dict[str, Any]

_CUT_POINT = re.compile(rf"{placeholders.MARKER}|__(?P<name>{'|'.join(placeholders.PER_READER)})__")
_STORY = re.compile(r"<!--__STORY_\d+__-->.*?<!--__END_STORY__-->", re.DOTALL)
_HREF = re.compile(r'<a\b[^<>]*?\bhref="([^"]*)"')


class PageTooLong(ValueError):
    """Without small pictures and summaries the page is still so long that clients would clip it.

    The message is for the editor: it says what takes the room.
    """


def freeze(*, edition_id: int, now: datetime) -> Frozen:
    """Render, cut and store the edition's present revision; a second call returns the same row.

    The row's `content_hash` tells whether this content is what was approved.

    Raises:
        PageTooLong, headers.UnsafeHeader, placeholders.BrokenPage: the edition cannot be sent as
            it is.
    """
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    content = content_hash(edition)
    stored = Frozen.objects.filter(
        edition=edition, revision=edition.revision, content_hash=content
    ).first()
    if stored:
        return stored
    page = freeze_page(edition, assemble(edition))
    frozen, _created = Frozen.objects.update_or_create(
        edition=edition,
        revision=edition.revision,
        defaults={
            "content_hash": content,
            "headers": page.headers,
            "text_segments": page.text_segments,
            "html_segments": page.html_segments,
            "web_html": web_page(edition),
            "links": page.links,
            "html_bytes": page.html_bytes,
            "frozen_at": now,
        },
    )
    return frozen


def freeze_page(edition: Edition, page: AssembledPage) -> Frozen:
    """Return the page frozen but not stored; tests of a draft are sent from it."""
    view = links.view_url(edition)
    text, html = (body.replace("__VIEW__", view) for body in (page.text, page.html))
    if (size := len(html.encode())) > MAX_PAGE_BYTES:
        raise PageTooLong(_too_long(edition, html, size))
    return Frozen(
        edition=edition,
        revision=edition.revision,
        headers=_common_headers(edition, subject=page.subject),
        text_segments=_segments(edition, text),
        html_segments=_segments(edition, html),
        links=_links(html),
        html_bytes=size,
    )


def _too_long(edition: Edition, html: str, size: int) -> str:
    """Return what to tell an editor: how long the page is, and what takes the room."""
    stories = [len(found[0].encode()) for found in _STORY.finditer(html)]
    parts = [
        (len(edition.note.encode()), "the note"),
        (sum(stories), f"{len(stories)} stories" if len(stories) > 1 else "the story"),
    ]
    taken = ", ".join(f"{room:,} for {name}" for room, name in sorted(parts, reverse=True) if room)
    return (
        f"The mail has {size:,} bytes ({taken}) and may have {MAX_PAGE_BYTES:,}. Gmail cuts longer "
        "ones, and the link to unsubscribe with them."
    )


def _segments(edition: Edition, body: str) -> list[Segment]:
    """Return the body's segments; in a correction none belongs to a section that can be muted."""
    segments = split_segments(body)
    if edition.corrects_id:
        return [segment | {"section": None} for segment in segments]
    return segments


def split_segments(body: str) -> list[Segment]:
    """Cut the body at placeholders and markers; return the encoded segments without markers.

    A segment is `{"body": quoted-printable}` or `{"placeholder": its name}`. Its `section` and
    `story` are the ids of the section and the story around it, or None.
    """
    where: dict[str, int | None] = {"section": None, "story": None}
    segments: list[Segment] = []
    end = 0
    for found in _CUT_POINT.finditer(body):
        _add(segments, body[end : found.start()], where)
        end = found.end()
        if found["name"]:
            segments.append({"placeholder": found["name"], **where})
        elif found["open"]:
            where[found["open"].lower()] = int(found["id"])
        else:
            where[found["close"].lower()] = None
    _add(segments, body[end:], where)
    _check_placeholders(body, segments)
    return segments


def _add(segments: list[Segment], text: str, where: dict[str, int | None]) -> None:
    if text:
        segments.append({"body": encode(text), **where})


def _check_placeholders(body: str, segments: list[Segment]) -> None:
    """Raise BrokenPage unless each placeholder of the body has become a segment."""
    before = placeholders.count_placeholders(body)
    after = Counter(segment["placeholder"] for segment in segments if "placeholder" in segment)
    if missing := [name for name in placeholders.PER_READER if not after[name]]:
        raise placeholders.BrokenPage(f"the page lacks {', '.join(missing)}")
    markers = sum(1 for found in _CUT_POINT.finditer(body) if not found["name"])
    if before.total() != markers + after.total():
        raise placeholders.BrokenPage(f"nothing fills some of the placeholders: {sorted(before)}")


def _common_headers(edition: Edition, *, subject: str) -> str:
    newsletter = edition.newsletter
    lines = [
        headers.address_line("From", display=newsletter.from_name, address=newsletter.from_email),
        headers.text_line("Subject", subject),
        headers.ascii_line("List-Id", identifiers.list_id(edition)),
        headers.ascii_line("Feedback-ID", identifiers.feedback_id(edition)),
        # No standard defines it, but vacation programs look for it before they answer.
        "Precedence: bulk",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"',
    ]
    if newsletter.reply_to:
        lines.append(headers.address_line("Reply-To", display="", address=newsletter.reply_to))
    return "\r\n".join(lines)


def _links(html: str) -> list[str]:
    """Return the URLs that the page links to, in order of appearance, without the site's own."""
    found = (unescape(url) for url in _HREF.findall(html))
    own = ("__", f"{settings.SITE_URL}/editions/")
    return list(dict.fromkeys(url for url in found if not url.startswith(own)))
