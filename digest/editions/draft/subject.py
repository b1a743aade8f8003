"""Propose the two lines that an inbox shows, subject and preheader, from the headlines."""

from __future__ import annotations

from collections.abc import Sequence

from digest.shorten import truncate

# A phone shows 35 to 45 characters of a subject and a desktop 60 to 70; the preheader fills the
# rest of the line, or the second one.
SUBJECT_LENGTH = 70
PREHEADER_LENGTH = 110


def propose_subject(headlines: Sequence[str], *, fallback: str) -> str:
    """Return the lead's headline, cut between words."""
    return truncate(headlines[0] if headlines else fallback, SUBJECT_LENGTH)


def propose_preheader(headlines: Sequence[str], *, fallback: str) -> str:
    """Return the second and third headline, as much of them as fits."""
    following = headlines[1:3]
    if not following:
        return truncate(fallback, PREHEADER_LENGTH)
    both = " · ".join(following)
    # One whole headline says more than two that are cut short.
    return both if len(both) <= PREHEADER_LENGTH else truncate(following[0], PREHEADER_LENGTH)
