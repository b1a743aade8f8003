"""Announce a sent edition to the webhooks that listen for it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import Count

from digest.models import Delivery, Edition
from subscribers.models import Event
from subscribers.webhooks.emit import emit, has_listeners

# The statuses whose readers are counted in the event.
_COUNTED = (
    Delivery.Status.SENT,
    Delivery.Status.FAILED,
    Delivery.Status.SKIPPED,
    Delivery.Status.UNCERTAIN,
)


def edition_sent(*, edition_id: int, now: datetime) -> None:
    """Store the webhook event in the transaction that closes the edition."""
    edition = Edition.objects.select_related("newsletter").get(pk=edition_id)
    if not has_listeners(event=Event.EDITION_SENT, newsletter_id=edition.newsletter_id):
        return
    rows = Delivery.objects.filter(edition=edition).order_by()
    counts = dict(rows.values_list("status").annotate(Count("pk")))
    emit(
        event=Event.EDITION_SENT,
        data={
            "edition": {
                "id": str(edition.public_id),
                "newsletter": edition.newsletter.slug,
                "date": edition.slot_date.isoformat(),
                "subject": edition.subject,
                "url": f"{settings.SITE_URL}{edition.get_absolute_url()}",
                "sent_at": edition.sent_at.isoformat() if edition.sent_at else None,
                "readers": {status.value: counts.get(status, 0) for status in _COUNTED},
            }
        },
        newsletter_id=edition.newsletter_id,
        now=now,
    )
