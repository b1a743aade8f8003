"""Let a reader leave, or choose the sections they get."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from subscribers import consent, signals
from subscribers.models import Consent, Section, Subscription


def unsubscribe(
    *,
    subscription_id: int,
    now: datetime,
    page: str = "",
    ip_address: str | None = None,
    user_agent: str = "",
) -> bool:
    """End the subscription at once and record the withdrawal.

    Returns:
        Whether there was one to end: an unknown id, or leaving twice, changes nothing.
    """
    origin = consent.Origin(page=page, ip_address=ip_address, user_agent=user_agent)
    with transaction.atomic():
        # Also for the second of two clicks: whoever is answered first, what was planned is stopped.
        transaction.on_commit(
            lambda: signals.subscription_ended.send(
                sender=Subscription, subscription_id=subscription_id, now=now
            )
        )
        ended = Subscription.objects.filter(
            pk=subscription_id,
            status__in=[Subscription.Status.PENDING, Subscription.Status.ACTIVE],
        ).update(status=Subscription.Status.UNSUBSCRIBED, ended_at=now, mail_due_at=None)
        if not ended:
            return False
        subscription = Subscription.objects.select_related("newsletter").get(pk=subscription_id)
        consent.record(
            subscription_id=subscription_id,
            newsletter=subscription.newsletter,
            kind=Consent.Kind.WITHDRAWAL,
            origin=origin,
            now=now,
        )
    return True


def set_muted_sections(*, subscription_id: int, section_ids: Collection[int]) -> list[int]:
    """Mute these sections of the subscription's newsletter, and no others.

    Returns:
        The ids that are muted now; ids of another newsletter's sections are left out.
    """
    own = Section.objects.filter(
        newsletter__subscriptions=subscription_id, pk__in=section_ids
    ).values_list("pk", flat=True)
    muted = sorted(own)
    Subscription.objects.filter(pk=subscription_id).update(muted_sections=muted)
    return muted
