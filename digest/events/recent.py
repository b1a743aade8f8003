"""Say which stories are new enough to be compared."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from digest.models import Story

# Reports of one event lie at most so far apart.
COMPARED_WITHIN = timedelta(days=3)
# A report may be published long before it arrives. One that arrived before this is in an event
# already, and no other story will ever be compared with it.
ARRIVED_WITHIN = 2 * COMPARED_WITHIN


def comparable(newsletter_ids: Collection[int], *, now: datetime) -> QuerySet[Story]:
    """Return the stories of the last days, as they are dated."""
    # Not Coalesce, so that the indexes story_recent and story_undated find them.
    undated = Q(published_at=None, added_at__gte=now - COMPARED_WITHIN, is_backlog=False)
    return Story.objects.filter(
        undated | Q(published_at__gte=now - COMPARED_WITHIN),
        newsletter__in=newsletter_ids,
        added_at__gte=now - ARRIVED_WITHIN,
    )
