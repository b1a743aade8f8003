"""Group, choose and order the stories of a day or a week; pure.

article     what is compared of a report
candidates  finds the pairs of reports that are worth comparing
dateless    takes days, dates and numbers out of a headline
deferred    names grouping without loading numpy
embedding   what a sentence embedding must be
events      groups the reports of one event
follow_up   tells whether reports bring anything new
likeness    scores how alike two reports are
joining     puts new reports to known events
packed      keeps vectors in half the bytes
rank        chooses and orders an edition's stories by the scores of their events
select      chooses by scores, for variety
sieve       tells what is no news
terms       scores an event as a sum, each part with its reason
topics      finds what several events are about
standing    tells what comes again and again
week        chooses the best of what a week printed
wire_copy   finds one text that several outlets print
words       cuts texts into words, in any script
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from digest.ranking.article import Article

if TYPE_CHECKING:
    from digest.ranking.events import group, group_in_clusters
    from digest.ranking.joining import join
    from digest.ranking.packed import pack, unpack
    from digest.ranking.wire_copy import copies

__all__ = ["Article", "copies", "group", "group_in_clusters", "join", "pack", "unpack"]

# These bring numpy, scipy and scikit-learn along (80 MB of memory), which a process that only
# orders stories, such as the web's, does not need.
_LOADED_WHEN_ASKED_FOR = {
    "copies": "digest.ranking.wire_copy",
    "group": "digest.ranking.events",
    "group_in_clusters": "digest.ranking.events",
    "join": "digest.ranking.joining",
    "pack": "digest.ranking.packed",
    "unpack": "digest.ranking.packed",
}


def __getattr__(name: str) -> Any:
    if name in _LOADED_WHEN_ASKED_FOR:
        return getattr(import_module(_LOADED_WHEN_ASKED_FOR[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
