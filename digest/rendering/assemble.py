"""Render an edition once: one HTML page and one text page for all of its readers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.html import format_html

from digest.models import Cadence, Edition
from digest.rendering import contents, links, placeholders
from digest.rendering.safe_text import single_line
from subscribers.embed.contrast import readable
from subscribers.i18n import languages
from subscribers.mail.inlining import inline_styles
from subscribers.models import Newsletter

# Gmail clips a message's HTML at 102 KB and hides the unsubscribe link with the rest.
MAX_HTML_BYTES = 100_000
# A page may not use the whole limit: three URLs and an address replace their placeholders later.
MAX_PAGE_BYTES = MAX_HTML_BYTES - 1_000
# Background colours in the template's two stylesheets, for light and for dark mode.
_LIGHT_BACKGROUND, _DARK_BACKGROUND = "#ffffff", "#1b1d21"
# Levels of detail, tried in this order until the page is short enough.
_DETAIL_LEVELS = ("thumbnails", "summaries", "headlines")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*\n")


@dataclass(frozen=True)
class LeftOut:
    """How many small pictures and summaries a long page goes out without."""

    pictures: int = 0
    summaries: int = 0


@dataclass(frozen=True)
class AssembledPage:
    """An edition's page, the same for all readers.

    Placeholders stand for values that are filled in later (`__UNSUBSCRIBE__`, `__PREFERENCES__`,
    `__VIEW__`, `__READER__`). Markers enclose sections and stories (`__SECTION_3__` …
    `__END_SECTION__`, `__STORY_12__` … `__END_STORY__`); in the HTML they are comments.
    """

    subject: str
    html: str
    text: str
    left_out: LeftOut = LeftOut()


def assemble(edition: Edition) -> AssembledPage:
    """Return the edition's page with inlined styles.

    A page that would be too long loses its small pictures, then also the summaries of all stories
    but the lead. `freeze` checks whether that was enough.
    """
    with translation.override(languages.first_supported(edition.newsletter.language)):
        context = _context(edition)
        html, detail = _fitting_html(context)
        return AssembledPage(
            # Only spaces are stripped: `freeze` has to see a line break, and refuses it.
            subject=edition.subject.strip(" ") or context["title"],
            html=html,
            text=_text(context),
            left_out=_left_out(context["contents"], detail),
        )


def web_page(edition: Edition) -> str:
    """Return the edition's public HTML: without placeholders, with a link to sign up instead.

    It shows the edition as it is at this moment, approved or not.
    """
    with translation.override(languages.first_supported(edition.newsletter.language)):
        context = _context(edition) | {"web": True, "detail": "thumbnails"}
        return placeholders.fill(render_to_string("email/digest/body.html", context), {})


def _context(edition: Edition) -> dict[str, Any]:
    newsletter = edition.newsletter
    arranged = contents.arrange(edition)
    lead = arranged.lead
    return {
        "newsletter": newsletter,
        "name": single_line(newsletter.name),
        "newsletter_url": links.newsletter_url(newsletter),
        "postal_line": single_line(newsletter.postal_line),
        "accent": newsletter.accent_color,
        "accent_on_light": readable(newsletter.accent_color, on=_LIGHT_BACKGROUND),
        "accent_on_dark": readable(newsletter.accent_color, on=_DARK_BACKGROUND),
        "date": _formatted_date(edition.slot_date, newsletter),
        "ui_lang": _ui_lang_attributes(newsletter),
        "title": single_line(edition.subject)
        or (lead.headline if lead else single_line(newsletter.name)),
        "preheader": single_line(edition.preheader) or (lead.summary if lead else ""),
        "contents": arranged,
        "is_weekly": edition.cadence == Cadence.WEEKLY and edition.corrects is None,
        "correction": _correction(edition.corrects) if edition.corrects else None,
    }


def _formatted_date(day: date, newsletter: Newsletter) -> str:
    """Return the day in the newsletter's language, even if Daybreak is not translated into it."""
    with translation.override(newsletter.language):
        is_translated = languages.supported(newsletter.language)
        return date_format(day, "FULL_DATE_FORMAT" if is_translated else "l j F Y")


def _ui_lang_attributes(newsletter: Newsletter) -> str:
    """Return the HTML attributes of Daybreak's own sentences on the page.

    These are in English if Daybreak is not translated into the newsletter's language.
    """
    if languages.supported(newsletter.language):
        return ""
    return format_html(' lang="{}" dir="ltr"', settings.LANGUAGE_CODE)


def _correction(corrected: Edition) -> dict[str, Any]:
    """Return what the heading of a correction names.

    The web version is corrected only if the edition was continued with changed text.
    """
    return {
        "date": date_format(corrected.slot_date, "FULL_DATE_FORMAT"),
        "url": links.view_url(corrected),
        "is_corrected": corrected.revision > 1,
    }


def _fitting_html(context: dict[str, Any]) -> tuple[str, str]:
    """Return the page at the first level of detail at which it is short enough, and that level."""
    for detail in _DETAIL_LEVELS:
        html = _inline(render_to_string("email/digest/body.html", context | {"detail": detail}))
        if len(html.encode()) <= MAX_PAGE_BYTES:
            break
    return html, detail


def _left_out(arranged: contents.Contents, detail: str) -> LeftOut:
    stories = [story for section in arranged.sections for story in section.stories]
    return LeftOut(
        pictures=sum(detail != "thumbnails" and bool(story.thumbnail) for story in stories),
        summaries=sum(detail == "headlines" and bool(story.summary) for story in stories),
    )


def _inline(html: str) -> str:
    """Inline the first <style>; leave the second, which premailer is told to ignore, unchanged."""
    # The template writes the attributes it wants; premailer would add height="auto".
    inlined = inline_styles(html, adds_attributes=False)
    if placeholders.count_placeholders(inlined) != placeholders.count_placeholders(html):
        raise placeholders.BrokenPage("inlining the styles lost placeholders")
    return inlined


def _text(context: dict[str, Any]) -> str:
    text = render_to_string("email/digest/body.txt", context)
    return _BLANK_LINES.sub("\n\n", text).strip() + "\n"
