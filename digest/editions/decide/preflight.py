"""Check an edition for problems before anybody approves it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError

from digest.models import Cadence, Edition, EditionItem, Schedule
from digest.rendering.assemble import LeftOut, assemble
from digest.rendering.contents import in_printed_order
from digest.rendering.freeze import PageTooLong, freeze_page
from digest.rendering.headers import UnsafeHeader
from digest.rendering.placeholders import BrokenPage

logger = logging.getLogger(__name__)

# A feed that was added today may bring years of stories, and a quiet day may print them.
OLD_NEWS = timedelta(days=7)
# A story of the week's first edition may have been some days old when it was printed.
OLD_FOR_A_WEEK = timedelta(days=14)


@dataclass(frozen=True)
class EditionProblem:
    """Something an editor should know; a blocking one must be put right before approval."""

    code: str
    message: str
    blocking: bool = True


def find_problems(edition: Edition) -> list[EditionProblem]:
    """Return what is wrong with the edition, the blocking problems first.

    The mail is rendered for this, because only then its size is known.
    """
    items = in_printed_order(list(edition.items.select_related("story")))
    found = [
        *_of_the_edition(edition, items),
        *_of_the_stories(edition, items),
        *mail_problems(edition),
    ]
    return sorted(found, key=lambda problem: not problem.blocking)


def min_stories(edition: Edition) -> int:
    """Return how many stories the edition needs: its schedule's minimum, or one without a schedule.

    A correction needs none, because its note is the content.
    """
    if edition.corrects_id:
        return 0
    return edition.schedule.min_stories if edition.schedule else 1


def too_few_policy(edition: Edition) -> Schedule.TooFew:
    """Return what its schedule does with it if it has fewer stories than that."""
    return Schedule.TooFew(edition.schedule.too_few if edition.schedule else Schedule.TooFew.SKIP)


def _of_the_edition(edition: Edition, items: Sequence[EditionItem]) -> list[EditionProblem]:
    found = []
    if not edition.subject.strip():
        found.append(EditionProblem("no-subject", "The edition has no subject."))
    minimum = min_stories(edition)
    if len(items) < minimum:
        may_be_short = bool(items) and too_few_policy(edition) != Schedule.TooFew.SKIP
        found.append(
            EditionProblem(
                "too-few-stories",
                f"It has {len(items)} of at least {minimum} stories.",
                blocking=not may_be_short,
            )
        )
    if edition.is_extra and not settings.EXTRA_EDITIONS_PER_DAY:
        message = "No extra editions are sent: EXTRA_EDITIONS_PER_DAY is 0."
        found.append(EditionProblem("no-extras", message))
    if edition.corrects_id and not edition.note.strip():
        found.append(EditionProblem("no-note", "It lacks the note that says what was wrong."))
    if not edition.preheader.strip():
        found.append(
            EditionProblem(
                "no-preheader",
                "Without a preheader, inboxes show the mail's first text.",
                blocking=False,
            )
        )
    return [*found, *_before_its_day(edition), *_old_news(edition, items)]


def _before_its_day(edition: Edition) -> list[EditionProblem]:
    """Tell that an edition whose send time was moved goes out before the day of its slot."""
    if not edition.schedule or edition.corrects_id or edition.local_time or edition.sending_at:
        return []
    day = edition.sends_at.astimezone(edition.schedule.zone).date()
    if day >= edition.slot_date:
        return []
    message = (
        f"It goes out on {day:%A, %-d %B}, and its schedule then has no edition on "
        f"{edition.slot_date:%A, %-d %B}."
    )
    return [EditionProblem("early", message, blocking=False)]


def _old_news(edition: Edition, items: Sequence[EditionItem]) -> list[EditionProblem]:
    is_weekly = edition.cadence == Cadence.WEEKLY
    span, span_text = (OLD_FOR_A_WEEK, "two weeks") if is_weekly else (OLD_NEWS, "a week")
    ages = [item.story.published_at for item in items]
    old = [when for when in ages if when and when < edition.sends_at - span]
    if not old:
        return []
    oldest = f"{min(old):%B %Y}"
    message = f"Older than {span_text}: {len(old)} of {len(items)} stories, one of {oldest}."
    return [EditionProblem("old-news", message, blocking=False)]


def _of_the_stories(edition: Edition, items: Sequence[EditionItem]) -> list[EditionProblem]:
    found = []
    for number, item in enumerate(items, start=1):
        if not item.shown_headline.strip():
            found.append(EditionProblem("no-headline", f"Story {number} has no headline."))
        if not item.story.url and not item.story.text.strip():
            found.append(
                EditionProblem("no-link", f"“{item.shown_headline}” has neither a link nor a text.")
            )
        if item.story.is_hidden and not edition.corrects_id:
            message = f"“{item.shown_headline}” is hidden: an editor wants it proposed no more."
            found.append(EditionProblem("hidden", message, blocking=False))
        if item.story.link_died_at:
            found.append(
                EditionProblem(
                    "dead-link",
                    f"“{item.shown_headline}” leads to a page that is gone: its server said so "
                    "twice.",
                    blocking=False,
                )
            )
        if not item.shown_summary.strip():
            found.append(
                EditionProblem(
                    "no-summary", f"“{item.shown_headline}” has no summary.", blocking=False
                )
            )
    return found


def mail_problems(edition: Edition) -> list[EditionProblem]:
    """Return why the mail could not be sent, or what it is sent without."""
    try:
        page = assemble(edition)
        freeze_page(edition, page)
    except PageTooLong as error:
        return [EditionProblem("too-long", str(error))]
    except (UnsafeHeader, BrokenPage) as error:
        return [EditionProblem("unsafe", f"The mail cannot be made: {error}.")]
    except DatabaseError:
        raise
    except Exception as error:
        # A fault in Daybreak. The edition would be held for it at its send time.
        logger.exception("Edition %s cannot be rendered", edition.pk)
        message = f"The mail cannot be made: {type(error).__name__}: {error}"
        return [EditionProblem("broken", message)]
    return _left_out(page.left_out)


def _left_out(left_out: LeftOut) -> list[EditionProblem]:
    """Tell what a long mail is sent without."""
    parts = [
        f"{count} {one if count == 1 else several}"
        for count, one, several in (
            (left_out.pictures, "small picture", "small pictures"),
            (left_out.summaries, "summary", "summaries"),
        )
        if count
    ]
    if not parts:
        return []
    message = (
        f"It goes out without {' and '.join(parts)}, so that Gmail does not cut it. The edition's "
        "page on the web has them."
    )
    return [EditionProblem("left-out", message, blocking=False)]
