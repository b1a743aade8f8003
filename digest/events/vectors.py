"""Keep the vector of each recent story's title: made once, when the story arrives."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from hashlib import md5

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import MD5

import digest.ranking
from digest.events.recent import ARRIVED_WITHIN, comparable
from digest.models import Story, TitleVector
from digest.ranking.embedding import PROBE, Embed, load, try_out
from subscribers.models import Newsletter

logger = logging.getLogger(__name__)

# One task makes so many, which takes five seconds of a slow core. Then the next one goes on.
BATCH = 64
# Rows of one step of `purge`; a tick takes one.
_ROWS_PER_STEP = 2000


def waiting(*, now: datetime) -> QuerySet[Story]:
    """Return the recent stories without a vector of their present title, the newest first.

    Nothing waits while settings.EVENT_EMBEDDING is empty.
    """
    if not settings.EVENT_EMBEDDING:
        return Story.objects.none()
    has_one = Q(
        title_vector__embedding=settings.EVENT_EMBEDDING,
        title_vector__title_md5=MD5(F("title")),
    )
    newsletters = list(Newsletter.objects.values_list("pk", flat=True))
    return comparable(newsletters, now=now).exclude(has_one).order_by("-added_at")


def embed_titles(*, now: datetime) -> bool:
    """Make the vectors of one batch of titles; return whether there are more.

    Two calls at once make the same vectors, and each row is there once.
    """
    batch = list(waiting(now=now).values_list("pk", "title")[:BATCH])
    if not batch:
        return False
    packed = _packed([title for _, title in batch])
    rows = [
        TitleVector(
            story_id=pk,
            embedding=settings.EVENT_EMBEDDING,
            dimension=len(numbers) // 2,
            numbers=numbers,
            title_md5=md5(title.encode(), usedforsecurity=False).hexdigest(),
            made_at=now,
        )
        for (pk, title), numbers in zip(batch, packed, strict=True)
    ]
    fields = ["embedding", "dimension", "numbers", "title_md5", "made_at"]
    TitleVector.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["story"], update_fields=fields
    )
    dropped = _drop_other_dimensions(max(row.dimension for row in rows))
    return len(batch) == BATCH or dropped > 0


def packed_vectors(stories: Sequence[Story]) -> list[bytes | None] | None:
    """Return the vector of each story's present title as bytes, None where it has none.

    All are of the embedding that is configured. None: it is none, or there is not one vector.
    """
    if not settings.EVENT_EMBEDDING:
        return None
    made = TitleVector.objects.filter(
        story__in=[story.pk for story in stories],
        embedding=settings.EVENT_EMBEDDING,
        title_md5=MD5(F("story__title")),
        dimension__gt=0,
    ).values_list("story", "numbers")
    found = {pk: bytes(numbers) for pk, numbers in made}
    # A batch drops the vectors of a dimension that the embedding had before, a moment later.
    lengths = {len(numbers) for numbers in found.values()}
    if len(lengths) != 1:
        return None
    return [found.get(story.pk) for story in stories]


def purge(*, now: datetime) -> int:
    """Delete vectors that no grouping will ask for; return how many."""
    old = TitleVector.objects.filter(made_at__lt=now - ARRIVED_WITHIN)
    pks = list(old.order_by("made_at").values_list("pk", flat=True)[:_ROWS_PER_STEP])
    return TitleVector.objects.filter(pk__in=pks).delete()[0] if pks else 0


def _packed(titles: Sequence[str]) -> list[bytes]:
    """Return the vectors of the titles; no bytes for one that the embedding cannot take."""
    embed = load(settings.EVENT_EMBEDDING)
    try:
        return list(digest.ranking.pack(embed(titles), len(titles)))
    except Exception:
        # Is the embedding at fault, or a title? If it is the embedding, this raises.
        try_out(embed)
        return [_packed_alone(embed, title) for title in titles]


def _packed_alone(embed: Embed, title: str) -> bytes:
    try:
        [packed] = digest.ranking.pack(embed([title]), 1)
    except Exception as error:  # an embedding is not ours, and may raise anything
        logger.warning("No vector of the title %r: %s", title, error)
        return b""
    return bytes(packed)


def _drop_other_dimensions(dimension: int) -> int:
    """Delete what the embedding made before its model was replaced under its name; count it."""
    if not dimension:
        return 0
    made = TitleVector.objects.filter(embedding=settings.EVENT_EMBEDDING)
    others = made.exclude(dimension__in=[0, dimension])
    if not others.exists():
        return 0
    # Otherwise each batch would drop the one before it, and they would be made again for ever.
    [probe] = _packed([PROBE])
    if len(probe) // 2 != dimension:
        raise ValueError("The embedding's vectors have another length at each call.")
    return others.delete()[0]
