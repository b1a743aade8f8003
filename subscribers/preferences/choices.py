"""Store a reader's choices for a subscription or for themselves, and record what changed."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db import transaction

from subscribers.consent.record import NO_ORIGIN, Origin, record_consent
from subscribers.models import Consent, Subscriber, Subscription
from subscribers.preferences.rhythm import rhythms
from subscribers.signals import reading_hour_changed

# A longer pause amounts to leaving, and leaving takes one click.
LONGEST_PAUSE = datetime.timedelta(days=366)
# The choices that set the hour at which an edition comes by the reader's own clock.
_HOUR_CHOICES = {"preferred_time", "timezone"}


class BadPause(ValueError):
    """A pause that is over before it begins, or longer than LONGEST_PAUSE."""


class FrequencyNotOffered(ValueError):
    """The newsletter does not come at this frequency: its reader would get nothing."""


@dataclass(frozen=True)
class Choices:
    """How a reader wants one newsletter; `muted` holds ids of its sections."""

    muted: Collection[int]
    frequency: str
    preferred_time: datetime.time | None
    wants_extras: bool = True

    @classmethod
    def of(cls, subscription: Subscription) -> Choices:
        """Return the current choices; dataclasses.replace makes the next ones from them."""
        return cls(
            muted=subscription.muted_sections,
            frequency=subscription.frequency,
            preferred_time=subscription.preferred_time,
            wants_extras=subscription.wants_extras,
        )


def set_choices(
    *, subscription_id: int, choices: Choices, origin: Origin = NO_ORIGIN, now: datetime.datetime
) -> bool:
    """Make these the subscription's choices; sections of another newsletter are left out.

    Returns:
        Whether anything changed. Only then a record is added to the ledger.

    Raises:
        FrequencyNotOffered
    """
    with transaction.atomic():
        subscription = _locked(subscription_id)
        check_frequency(subscription, choices.frequency)
        names = dict(subscription.newsletter.sections.values_list("pk", "name"))
        muted = sorted(set(choices.muted) & set(names))
        changes = {
            "muted_sections": (
                _section_names(subscription.muted_sections, names), _section_names(muted, names),
            ),
            "frequency": (subscription.frequency, str(choices.frequency)),
            "preferred_time": (
                _hour_text(subscription.preferred_time), _hour_text(choices.preferred_time),
            ),
            "wants_extras": (
                _yes_or_no(subscription.wants_extras), _yes_or_no(choices.wants_extras),
            ),
        }  # fmt: skip
        subscription.muted_sections = muted
        subscription.frequency = choices.frequency
        subscription.preferred_time = choices.preferred_time
        subscription.wants_extras = choices.wants_extras
        subscription.save(
            update_fields=["muted_sections", "frequency", "preferred_time", "wants_extras"]
        )
        return _record_changes(subscription, changes, origin=origin, now=now)


def check_frequency(subscription: Subscription, frequency: str) -> None:
    """Check that the newsletter comes at this frequency.

    A frequency that was chosen before stays possible. So does one that merely makes no difference.

    Raises:
        FrequencyNotOffered: there is no weekly edition.
    """
    weekly = Subscription.Frequency.WEEKLY
    if frequency != weekly or subscription.frequency == weekly:
        return
    if weekly not in rhythms([subscription.newsletter_id])[subscription.newsletter_id].frequencies:
        raise FrequencyNotOffered


def set_muted_sections(
    *,
    subscription_id: int,
    section_ids: Collection[int],
    origin: Origin = NO_ORIGIN,
    now: datetime.datetime,
) -> None:
    """Mute these sections of the subscription's newsletter, and no others."""
    subscription = Subscription.objects.get(pk=subscription_id)
    choices = replace(Choices.of(subscription), muted=section_ids)
    set_choices(subscription_id=subscription_id, choices=choices, origin=origin, now=now)


def pause(
    *,
    subscription_ids: Iterable[int],
    until: datetime.datetime | None,
    origin: Origin = NO_ORIGIN,
    now: datetime.datetime,
) -> int:
    """Pause these subscriptions until then; None ends a pause. Ended subscriptions stay unchanged.

    Returns:
        How many changed.

    Raises:
        BadPause
    """
    check_pause(until, now=now)
    changed = 0
    with transaction.atomic():
        # Always in the same order, so that two transactions cannot deadlock.
        for subscription_id in sorted(subscription_ids):
            subscription = _locked(subscription_id)
            if subscription.status == Subscription.Status.UNSUBSCRIBED:
                continue
            changes = {"paused_until": (ledger_time(subscription.paused_until), ledger_time(until))}
            subscription.paused_until = until
            subscription.save(update_fields=["paused_until"])
            changed += _record_changes(subscription, changes, origin=origin, now=now)
    return changed


def check_pause(until: datetime.datetime | None, *, now: datetime.datetime) -> None:
    """Check that a pause ends in the future, within LONGEST_PAUSE.

    Raises:
        BadPause
    """
    if until is not None and not now < until <= now + LONGEST_PAUSE:
        raise BadPause


def set_locale(
    *,
    subscription_id: int,
    language: str,
    timezone: str,
    origin: Origin = NO_ORIGIN,
    now: datetime.datetime,
) -> bool:
    """Set the language and time zone of the subscription's reader; "" is the newsletter's.

    Returns:
        Whether either changed.
    """
    with transaction.atomic():
        subscription = _locked(subscription_id)
        reader = Subscriber.objects.select_for_update().get(pk=subscription.subscriber_id)
        changes = {
            "language": (reader.language, language),
            "timezone": (reader.timezone, timezone),
        }
        reader.language, reader.timezone = language, timezone
        reader.save(update_fields=["language", "timezone"])
        return _record_changes(subscription, changes, origin=origin, now=now)


def _locked(subscription_id: int) -> Subscription:
    rows = Subscription.objects.select_for_update(of=("self",)).select_related("newsletter")
    return rows.get(pk=subscription_id)


def _record_changes(
    subscription: Subscription,
    changes: dict[str, tuple[Any, Any]],
    *,
    origin: Origin,
    now: datetime.datetime,
) -> bool:
    details = {
        name: {"from": before, "to": after}
        for name, (before, after) in changes.items()
        if before != after
    }
    if not details:
        return False
    record_consent(
        subscription_id=subscription.pk,
        newsletter=subscription.newsletter,
        kind=Consent.Kind.CHANGE,
        origin=origin,
        details=details,
        now=now,
    )
    if _HOUR_CHOICES & set(details):
        # Deliveries that are planned for the reader move to the new hour.
        transaction.on_commit(
            partial(
                reading_hour_changed.send,
                sender=Subscription,
                subscriber_id=subscription.subscriber_id,
                now=now,
            )
        )
    return True


def _section_names(section_ids: Iterable[int], names: dict[int, str]) -> list[str]:
    """Return names, because people read the ledger, and a section may be deleted by then."""
    return [names[pk] for pk in sorted(section_ids) if pk in names]


def _hour_text(time: datetime.time | None) -> str | None:
    return f"{time:%H:%M}" if time else None


def _yes_or_no(wanted: bool) -> str:
    return "yes" if wanted else "no"


def ledger_time(at: datetime.datetime | None) -> str | None:
    """Return a point in time as the ledger stores it."""
    return at.astimezone(datetime.UTC).isoformat() if at else None
