"""Shorten text for people: between words, or after a sentence."""

from __future__ import annotations

import re

# A capital or a script without capitals has to follow, so "U.S. exports" has no sentence end.
_SENTENCE_END = re.compile(r"[.!?…؟][\"'”’»)]*(?=\s[^a-z\s]|$)|[。！？]+")  # noqa: RUF001


def truncate(text: str, limit: int) -> str:
    """Return `text` on one line of at most `limit` characters, with an ellipsis for the rest.

    It is cut between words. A text without spaces (Chinese, Thai, a URL) is cut at the limit.
    """
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    if not line[limit - 1].isspace() and " " in cut[limit // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return cut.rstrip(" ,;:.|\u2013\u2014-") + "…"


def truncate_at_sentence(text: str, limit: int) -> str:
    """Return the whole sentences that fit into `limit`, if they fill half of it.

    Otherwise the text is cut as by `truncate`.
    """
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    # The character after the limit tells whether a sentence ends there.
    ends = [match.end() for match in _SENTENCE_END.finditer(line, 0, limit + 2)]
    end = max((end for end in ends if end <= limit), default=0)
    return line[:end] if end > limit // 2 else truncate(line, limit)


def first_sentence(text: str, limit: int) -> str:
    """Return the text's first sentence, cut as by `truncate` if it is longer than `limit`."""
    line = " ".join(text.split())
    found = _SENTENCE_END.search(line, 0, limit + 2)
    return truncate(line[: found.end()] if found else line, limit)
