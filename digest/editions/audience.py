"""Keep an edition from going to an unusual number of readers unseen."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from statistics import median

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from digest.editions import correct
from digest.models import Delivery, Edition
from subscribers.models import Subscription

logger = logging.getLogger(__name__)

# What is usual: the median of so many editions, once there are at least so few.
LAST, FEWEST = 10, 3
# A yes to 12,000 readers holds for those who come and go before the start, not for an import.
DRIFT_PERCENT = 10


@dataclass(frozen=True)
class Outlook:
    """How many readers an edition would go to now, beside what is usual (None: not known yet)."""

    readers: int
    usual: int | None
    warning: str


def readers(edition: Edition) -> QuerySet[Subscription]:
    """Whom the edition goes to; who is suppressed is left out when the row is claimed.

    A correction's are the readers who got the mistake, and are readers still.
    """
    active = Subscription.objects.filter(
        newsletter=edition.newsletter_id, status=Subscription.Status.ACTIVE
    )
    if edition.corrects is None:
        return active
    misinformed = correct.misinformed(edition.corrects, through=edition.corrects_through)
    return active.filter(pk__in=misinformed.values("subscription"))


def usual(edition: Edition) -> int | None:
    """How many readers the newsletter's last editions went to; None before there are three."""
    earlier = (
        Edition.objects.filter(
            newsletter=edition.newsletter_id,
            status=Edition.Status.SENT,
            corrects=None,
            audience__isnull=False,
        )
        .exclude(pk=edition.pk)
        .order_by("-sending_at")
        .values_list("audience", flat=True)
    )
    found = [audience for audience in earlier[:LAST] if audience is not None]
    return round(median(found)) if len(found) >= FEWEST else None


def left(edition: Edition) -> int:
    """How many readers an edition that was stopped in mid-send would still go to."""
    rows = Delivery.objects.filter(edition=edition)
    lost = Q(status=Delivery.Status.UNCERTAIN, finished_at=None)
    waiting = rows.filter(Q(status__in=[Delivery.Status.PENDING, Delivery.Status.SENDING]) | lost)
    unplanned = readers(edition).exclude(Exists(rows.filter(subscription=OuterRef("pk"))))
    return waiting.count() + unplanned.count()


def outlook(edition: Edition) -> Outlook:
    """Count the readers now: some tenths of a second for a million."""
    count = readers(edition).count()
    return Outlook(count, usual(edition), guard(edition, count) or "")


def guard(edition: Edition, audience: int | None = None) -> str | None:
    """Why so many readers (or those of now) need a person's yes first; None where they do not."""
    percent = settings.AUDIENCE_GUARD_PERCENT
    if edition.corrects_id or not percent:
        return None
    expected = usual(edition)
    if expected is None:
        return None
    count = readers(edition).count() if audience is None else audience
    if max(count, expected) < settings.AUDIENCE_GUARD_FROM or _is_accepted(edition, count):
        return None
    if abs(count - expected) * 100 <= percent * expected:
        return None
    return (
        f"It would go to {count:,} readers, and this newsletter's editions usually go to about "
        f"{expected:,}."
    )


def _is_accepted(edition: Edition, count: int) -> bool:
    # One that is under way was let through with its first start.
    agreed = (edition.audience_accepted, edition.audience)
    return any(abs(count - yes) * 100 <= DRIFT_PERCENT * yes for yes in agreed if yes)


def accept_audience(*, edition_id: int, user: AbstractBaseUser | None = None, count: int) -> bool:
    """Note a person's yes to so many readers; False where the edition is no longer open."""
    open_ones = Edition.objects.filter(pk=edition_id, status__in=Edition.EDITABLE)
    accepted = bool(open_ones.update(audience_accepted=count))
    if accepted:
        logger.info("Edition %s may go to %s readers, says %s", edition_id, count, user)
    return accepted
