"""Tell how newsletters come, as far as their readers have a say in it."""

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
    """What a newsletter's schedules promise; where it has none, editors send it by hand."""

    # The best of the week comes once a week.
    weekly: bool = False
    # What is new comes on Saturday or Sunday, too.
    weekends: bool = True
    # When it comes by each reader's own clock; None: at one moment, for everybody.
    readers_time: time | None = None

    @property
    def frequencies(self) -> list[Frequency]:
        """What makes a difference to choose from."""
        found = [Frequency.DAILY]
        if self.weekends:
            found.append(Frequency.WEEKDAYS)
        if self.weekly:
            found.append(Frequency.WEEKLY)
        return found


def rhythms(newsletter_ids: Collection[int]) -> dict[int, Rhythm]:
    """Return the rhythm of each newsletter; the layers above know it, and are asked once."""
    answers: Any = signals.rhythm_asked.send(
        sender=Newsletter, newsletter_ids=sorted(newsletter_ids)
    )
    found = {newsletter_id: Rhythm() for newsletter_id in newsletter_ids}
    for _, answer in answers:
        found |= answer
    return found
