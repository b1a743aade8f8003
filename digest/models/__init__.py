"""Stories and their feeds, editions and their schedules, and the ledger of deliveries.

feeds            where stories come from
hubs             the hubs that tell when a feed has something new
rules            where stories are filed, and which are never proposed
stories          what a newsletter could print
vectors          what a title means, as numbers
schedules        when editions go out
ranking_weights  how much each reason counts
editions         one issue, from proposal to frozen page
edition_log      what became of it, and by whom
deliveries       one row per reader and edition, with its outcome
"""

from digest.models.deliveries import Delivery
from digest.models.edition_log import EditionLogEntry
from digest.models.editions import Edition, EditionItem, Frozen
from digest.models.feeds import Feed
from digest.models.hubs import HubSubscription
from digest.models.ranking_weights import RankingWeights
from digest.models.rules import SectionRule, SieveRule
from digest.models.schedules import Cadence, Schedule
from digest.models.stories import Story
from digest.models.vectors import TitleVector

__all__ = [
    "Cadence",
    "Delivery",
    "Edition",
    "EditionItem",
    "EditionLogEntry",
    "Feed",
    "Frozen",
    "HubSubscription",
    "RankingWeights",
    "Schedule",
    "SectionRule",
    "SieveRule",
    "Story",
    "TitleVector",
]
