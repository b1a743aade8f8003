"""Offer what is new since the draft for an edition that somebody has made their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from digest.editions.draft.propose import propose_as_of
from digest.editions.draft.refresh import is_refreshed
from digest.models import Cadence, Edition, EditionItem, Story

# So many stories are offered at most.
MOST_OFFERS = 5


@dataclass(frozen=True)
class Offers:
    """Stories that could be added: what is new, and what could stand where one was dropped."""

    new: list[EditionItem] = field(default_factory=list)
    instead: list[EditionItem] = field(default_factory=list)


def offers(edition: Edition, *, now: datetime) -> Offers:
    """Return what the draft would add now; nothing while the autopilot takes it by itself.

    What an editor has taken out is not offered again. A correction, breaking news and a weekly
    edition are offered nothing.
    """
    is_open = edition.status in Edition.EDITABLE and edition.deadline_at > now
    is_daily = edition.cadence == Cadence.DAILY and not edition.goes_out_on_approval
    if not is_open or not is_daily or edition.sending_at or is_refreshed(edition, now=now):
        return Offers()
    present = set(edition.items.values_list("story_id", flat=True))
    proposed = set(edition.proposed_stories or [])
    refused = proposed - present
    limit = 2 * MOST_OFFERS + len(refused)
    proposal = propose_as_of(edition, limit=limit, now=now, beside=True)
    found = [item for item in proposal.items if item.story_id not in refused]
    # The best first: in the order of the page, the first section's would be all that is offered.
    found.sort(key=_points, reverse=True)
    since = _proposed_at(edition)
    new = [item for item in found if item.story.added_at > since]
    missing = max(len(proposed) - len(present), 0)
    others = [item for item in found if item not in new]
    return Offers(new[:MOST_OFFERS], others[: min(missing, MOST_OFFERS)])


def _points(item: EditionItem) -> float:
    return float(sum(term["contribution"] for term in item.terms or []))


def _proposed_at(edition: Edition) -> datetime:
    """Return when it was drafted or, if later, when the newest story came that it proposes.

    What had come by then was passed over when the autopilot took that one.
    """
    proposed = Story.objects.filter(pk__in=edition.proposed_stories or [])
    return max([edition.drafted_at, *proposed.values_list("added_at", flat=True)])
