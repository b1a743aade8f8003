"""Tell whether later reports of an event say anything that readers have not read of it.

Who tells the same in other words has new words, too: of 112 events whose reports were cut into
earlier and later ones, in 98 a later report had five new words that made three fifths of it. So
only that counts which two later outlets say, and nobody before (one of the 112). What cannot be
compared is not new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from digest.ranking.article import Article
from digest.ranking.words import words_of

TEXT_CHARACTERS = 600
# So many new words, names or numbers have to be said by so many outlets each.
NEW_WORDS, OUTLETS = 2, 2
# A word of more than this share of all events, and of four, says nothing of any of them.
COMMON_SHARE, COMMON_EVENTS = 0.03, 4


def brings_news(
    newer: Sequence[Article], told: Sequence[Article], *, common: Collection[str]
) -> bool:
    """Return whether the newer reports say something that the told ones do not.

    `told` is what was printed of the event, and its reports of that time. `common` are the stems
    of frequent words (`common_stems`).
    """
    known = {stem for article in told for stem in _stems(article)}
    if not known:
        return False
    new: dict[str, set[str]] = {}
    titles = set()
    for article in newer:
        title = tuple(word.stem for word in words_of(article.title))
        # Of one agency's text in two outlets, one counts.
        if title not in titles:
            titles.add(title)
            new.setdefault(article.source, set()).update(_stems(article) - known - set(common))
    said = Counter(stem for stems in new.values() for stem in stems)
    return sum(count >= OUTLETS for count in said.values()) >= NEW_WORDS


def common_stems(events: Iterable[Iterable[Article]]) -> set[str]:
    """Return the stems of words that the reports of many events have."""
    said = [{stem for report in reports for stem in _stems(report)} for reports in events]
    counts = Counter(stem for stems in said for stem in stems)
    most = max(COMMON_EVENTS, COMMON_SHARE * len(said))
    return {stem for stem, count in counts.items() if count > most}


def _stems(article: Article) -> set[str]:
    """Return its numbers, and the stems of its words that are no particles."""
    text = f"{article.title}\n{article.summary[:TEXT_CHARACTERS]}"
    return {word.stem for word in words_of(text) if word.may_be_topic or word.surface.isdigit()}
