"""Count what became of an edition's readers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, Q

from digest.models import Delivery


@dataclass(frozen=True)
class Tally:
    """Readers by outcome; the six add up to the audience.

    `reasons` counts skips and failures by reason. `sent_again` of the sent ones had lost their
    first answer and may have arrived twice, under one Message-ID.
    """

    pending: int = 0
    sending: int = 0
    sent: int = 0
    failed: int = 0
    skipped: int = 0
    uncertain: int = 0
    sent_again: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.settled + self.pending + self.sending

    @property
    def settled(self) -> int:
        return self.sent + self.failed + self.skipped + self.uncertain


def tally(edition_id: int) -> Tally:
    """Counted from the rows, in one query."""
    rows = (
        Delivery.objects.filter(edition_id=edition_id)
        .order_by()
        .values_list("status", "reason")
        .annotate(count=Count("pk"), again=Count("pk", filter=Q(uncertain_at__isnull=False)))
    )
    by_status: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    sent_again = 0
    for status, reason, count, again in rows:
        by_status[status] += count
        if reason:
            reasons[reason] += count
        if status == Delivery.Status.SENT:
            sent_again += again
    return Tally(
        **{str(status): by_status[status] for status in Delivery.Status.values},
        sent_again=sent_again,
        reasons=dict(reasons),
    )
