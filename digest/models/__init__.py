"""Stories and their feeds, editions and their schedules, and the ledger of deliveries.

feeds       where stories come from
stories     what a newsletter could print
schedules   when editions go out
editions    one issue, from proposal to frozen page
deliveries  one row per reader and edition, with its outcome
"""

from digest.models.deliveries import Delivery
from digest.models.editions import Edition, EditionItem, Frozen
from digest.models.feeds import Feed
from digest.models.schedules import Cadence, Schedule
from digest.models.stories import Story

__all__ = [
    "Cadence",
    "Delivery",
    "Edition",
    "EditionItem",
    "Feed",
    "Frozen",
    "Schedule",
    "Story",
]
