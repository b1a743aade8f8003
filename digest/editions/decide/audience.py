"""Select the readers an edition is for, and warn if their number is unusual."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, QuerySet

from digest.editions.decide import extra_cap
from digest.editions.draft.rhythm import has_daily_schedule, has_weekly_schedule
from digest.models import Cadence, Delivery, Edition
from subscribers.models import Subscription, Suppression

logger = logging.getLogger(__name__)

_Frequency = Subscription.Frequency
# Days of the week in ISO 8601, as PostgreSQL counts them.
_WEEKEND = (6, 7)
# The usual number of readers is the median of the last RECENT_EDITIONS, once there are
# MIN_EDITIONS.
RECENT_EDITIONS, MIN_EDITIONS = 10, 3
# How far the number of readers may differ from an accepted one: whoever accepts 12,000 readers
# also accepts those who come and go before the start, but not an import.
DRIFT_PERCENT = 10
# Below this many readers, now and usually, no edition is held for their number.
MIN_READERS = 50
# Readers whose row has one of these states have the edition, or may have it.
REACHED = (Delivery.Status.SENT, Delivery.Status.UNCERTAIN)


@dataclass(frozen=True)
class AudienceEstimate:
    """How many readers an edition would go to now, and how many are usual (None: not known yet).

    `warning` is empty unless a person has to accept the number first. `at_cap` counts the readers
    who are left out because they have had enough extra editions of late.
    """

    readers: int
    usual: int | None
    warning: str
    at_cap: int = 0


def frequencies(edition: Edition) -> tuple[str, ...]:
    """Return the frequencies whose readers the edition is for.

    - A correction is for every frequency: it goes to whoever got the corrected edition.
    - A weekly edition is for weekly readers. It is for everybody if the newsletter has no daily
      schedule.
    - A daily edition is for daily readers and, from Monday to Friday, for readers of weekdays. It
      is for weekly readers too while no weekly schedule is active: theirs was switched off, and
      they did not choose to get nothing.
    - An extra edition is for the same readers as a daily one of its date, but never for weekly
      ones: they asked for one mail a week.
    """
    if edition.corrects_id:
        return tuple(_Frequency.values)
    if edition.cadence == Cadence.WEEKLY:
        is_all = not has_daily_schedule(newsletter_id=edition.newsletter_id)
        return tuple(_Frequency.values) if is_all else (_Frequency.WEEKLY.value,)
    found = [_Frequency.DAILY.value]
    if edition.slot_date.isoweekday() not in _WEEKEND:
        found.append(_Frequency.WEEKDAYS.value)
    if not edition.is_extra and not has_weekly_schedule(newsletter_id=edition.newsletter_id):
        found.append(_Frequency.WEEKLY.value)
    return tuple(found)


def readers(edition: Edition) -> QuerySet[Subscription]:
    """Return the active subscriptions that the edition is for.

    Suppressed and paused readers are included; they are left out when their row is claimed. So are
    readers who have had enough extra editions; they are left out when they are planned. A
    correction is for the readers who got the mistake and are still active.
    """
    active = Subscription.objects.filter(
        newsletter=edition.newsletter_id, status=Subscription.Status.ACTIVE
    )
    if edition.is_extra:
        active = active.filter(wants_extras=True)
    if edition.corrects is None:
        return active.filter(frequency__in=frequencies(edition))
    reached = recipients(edition.corrects, through=edition.corrects_through)
    return active.filter(pk__in=reached.values("subscription"))


def recipients(edition: Edition, *, through: int | None) -> QuerySet[Delivery]:
    """Return the rows of the readers who got the edition in a revision up to `through`."""
    reached = Delivery.objects.filter(edition=edition, status__in=REACHED)
    return reached.filter(revision__lte=through or 0)


def reachable(edition: Edition, *, now: datetime) -> QuerySet[Subscription]:
    """Return the readers it would be sent to now: without those suppressed or paused."""
    return _sendable(readers(edition), "subscriber__email_key").exclude(paused_until__gt=now)


def count_readers(edition: Edition, *, now: datetime) -> int:
    """Count the readers it would be sent to now, without those at the cap of extra editions."""
    found = reachable(edition, now=now)
    return found.count() - found.filter(extra_cap.at_cap(edition, now=now)).count()


def _sendable(rows: QuerySet[Any], address: str) -> QuerySet[Any]:
    return rows.filter(~Exists(Suppression.objects.filter(email_key=OuterRef(address))))


def usual_size(edition: Edition) -> int | None:
    """Return how many readers similar editions usually went to; None before there are three.

    Similar editions are those for the same readers. A weekly edition says nothing about a daily
    one. A Sunday's edition says nothing about a Monday's, which also goes to readers who want no
    mail at the weekend, and an extra edition nothing about either.
    """
    is_weekend = Q(slot_date__iso_week_day__in=_WEEKEND)
    alike = Edition.objects.filter(
        newsletter=edition.newsletter_id,
        cadence=edition.cadence,
        status=Edition.Status.SENT,
        corrects=None,
        extra_story__isnull=not edition.is_extra,
        audience__isnull=False,
    ).exclude(pk=edition.pk)
    if edition.cadence == Cadence.DAILY:
        at_weekend = edition.slot_date.isoweekday() in _WEEKEND
        alike = alike.filter(is_weekend if at_weekend else ~is_weekend)
    earlier = alike.order_by("-sending_at").values_list("audience", flat=True)
    found = [audience for audience in earlier[:RECENT_EDITIONS] if audience is not None]
    return round(median(found)) if len(found) >= MIN_EDITIONS else None


def remaining(edition: Edition, *, now: datetime) -> int:
    """Return how many readers an edition stopped in mid-send would still be sent to."""
    rows = Delivery.objects.filter(edition=edition)
    lost = Q(status=Delivery.Status.UNCERTAIN, finished_at=None)
    waiting = rows.filter(Q(status__in=[Delivery.Status.PENDING, Delivery.Status.SENDING]) | lost)
    planned = _sendable(waiting, "subscription__subscriber__email_key").exclude(
        subscription__paused_until__gt=now
    )
    unplanned = reachable(edition, now=now).exclude(
        Exists(rows.filter(subscription=OuterRef("pk")))
    )
    at_cap = unplanned.filter(extra_cap.at_cap(edition, now=now))
    return planned.count() + unplanned.count() - at_cap.count()


def estimate(edition: Edition, *, now: datetime) -> AudienceEstimate:
    """Count the readers now; this takes some tenths of a second for a million."""
    found = reachable(edition, now=now)
    at_cap = found.filter(extra_cap.at_cap(edition, now=now)).count()
    count = found.count() - at_cap
    warning = unusual_warning(edition, count) or ""
    return AudienceEstimate(count, usual_size(edition), warning, at_cap)


def unusual_warning(edition: Edition, count: int) -> str | None:
    """Return why a person must accept this number of readers first; None if nobody has to."""
    percent = settings.AUDIENCE_GUARD_PERCENT
    if edition.corrects_id or not percent:
        return None
    expected = usual_size(edition)
    if expected is None:
        return None
    if max(count, expected) < MIN_READERS or _is_accepted(edition, count):
        return None
    if abs(count - expected) * 100 <= percent * expected:
        return None
    return (
        f"It would go to {count:,} readers, and this newsletter's {_kind(edition)} usually go to "
        f"about {expected:,}."
    )


def _kind(edition: Edition) -> str:
    if edition.is_extra:
        return "extra editions"
    return "weekly editions" if edition.cadence == Cadence.WEEKLY else "editions"


def _is_accepted(edition: Edition, count: int) -> bool:
    # The number of readers at the first start counts as accepted.
    accepted = (edition.audience_accepted, edition.audience)
    return any(abs(count - size) * 100 <= DRIFT_PERCENT * size for size in accepted if size)


def accept_audience(*, edition_id: int, user: AbstractBaseUser | None = None, count: int) -> bool:
    """Record that a person accepts `count` readers; False if the edition is not editable."""
    editable = Edition.objects.filter(pk=edition_id, status__in=Edition.EDITABLE)
    accepted = bool(editable.update(audience_accepted=count))
    if accepted:
        logger.info("Edition %s may go to %s readers: accepted by %s", edition_id, count, user)
    return accepted
