"""Tell when newsletters come, as far as readers can choose it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import time
from typing import Any

from subscribers import signals
from subscribers.models import Newsletter, Subscription

Frequency = Subscription.Frequency


@dataclass(frozen=True)
class Rhythm:
    """What a newsletter's schedules promise; editors send one that has no schedule by hand."""

    # There is an edition with the best of the week, once a week.
    weekly: bool = False
    # Editions with new stories come on Saturday or Sunday, too.
    weekends: bool = True
    # The time on each reader's own clock; None: the newsletter comes to everybody at one moment.
    readers_time: time | None = None

    @property
    def frequencies(self) -> list[Frequency]:
        """Return the frequencies that make a difference."""
        found = [Frequency.DAILY]
        if self.weekends:
            found.append(Frequency.WEEKDAYS)
        if self.weekly:
            found.append(Frequency.WEEKLY)
        return found


def rhythms(newsletter_ids: Collection[int]) -> dict[int, Rhythm]:
    """Return the rhythm of each newsletter; the layers above know it and are asked once."""
    answers: Any = signals.rhythm_requested.send(
        sender=Newsletter, newsletter_ids=sorted(newsletter_ids)
    )
    found = {newsletter_id: Rhythm() for newsletter_id in newsletter_ids}
    for _, answer in answers:
        found |= answer
    return found
