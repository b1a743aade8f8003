"""The rows that the stages leave behind, one module per stage."""

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
