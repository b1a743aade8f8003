"""What a process may name without loading numpy, and call in another process."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import digest.ranking
from digest.ranking.article import Article


def group_pinned(articles: Sequence[Article], pins: Sequence[Hashable]) -> list[list[int]]:
    """Group as `digest.ranking.group` does, which loads numpy in the process that calls this."""
    return digest.ranking.group(articles, pins=pins)
