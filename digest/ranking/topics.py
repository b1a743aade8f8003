"""Find the topics that several events share: a tournament, a trial, a company.

A topic begins with a mark that at least three events carry where it says what they are about:

name    a word that is written with a capital within sentences, in the title
phrase  two words in a row, both rare, in the title or at the end of the address
word    of scripts and languages whose capitals say nothing: in the title and in the summary
folder  of the address, if a third of what is in it also says its name

What more than half of the events share is what the newsletter is about, and no topic of it. What
many share may be no more than the place where it is at home, so their other words have to have
something in common, too.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import unquote, urlsplit

from digest.ranking.article import Article
from digest.ranking.words import Word, is_run, stem_of, words_of

FEWEST_EVENTS = 3
# A mark is too common to be a topic if more than this share of the events carry it.
MOST_EVENTS = 0.5
# A mark of more than this share of the events, and of five, needs so many companions: words that
# three of its events have, and that go with it by a log-likelihood ratio (Dunning, 1993) of which
# chance gives as much to one word of fifty.
MANY_EVENTS, FEW_EVENTS, COMPANIONS, GOES_WITH = 0.2, 5, 2, 5.5
# A mark with this share of its events in a topic is another sign of that topic.
SAME_TOPIC = 0.5
SIGNS_OF_A_TOPIC = 2
FOLDER_SAYS_ITS_NAME = 1 / 3
# A word is a name if this share of its uses within sentences have a capital.
NAMES_HAVE_CAPITALS, FEWEST_CAPITALS = 0.8, 2
SHORTEST_IN_PHRASE = 4
TITLE_CHARACTERS, SUMMARY_CHARACTERS, URL_CHARACTERS = 300, 240, 500
# A topic is shown by a phrase instead of a word of it if the word stands mostly in that phrase.
USUALLY = 0.8

_SENTENCE_ENDS = ".!?:…。！？："  # noqa: RUF001
_QUOTES = " \t\"'“”‘’«»„(["  # noqa: RUF001


@dataclass
class _Event:
    """The marks that an event's reports have, and where.

    `words` are those of all its texts, `title` those of its titles and `twice` those that a title
    has together with its summary. `folders` are those
    of its addresses.
    """

    words: set[str] = field(default_factory=set)
    title: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    phrases: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)


def topics(events: Sequence[Sequence[Article]]) -> list[str]:
    """Return the name of each event's topic; empty if it has none. An event is its reports.

    The order of the events changes nothing but the order of the answer.
    """
    spelling = _Spelling()
    found = [_event(reports, spelling) for reports in events]
    members = _members(found, spelling)
    names = [""] * len(events)
    free = set(range(len(events)))
    while members:
        mark = min(members, key=lambda mark: (-len(members[mark]), mark))
        topic = _topic(mark, members, found, free)
        for index in topic:
            names[index] = spelling.shown(mark)
        free -= topic
        members = {
            other: rest
            for other, indexes in members.items()
            if len(rest := indexes - topic) >= FEWEST_EVENTS
        }
    return names


def _topic(
    mark: str, members: Mapping[str, set[int]], events: Sequence[_Event], free: set[int]
) -> set[int]:
    """Return the events that carry a mark, and those that have two other signs of its topic."""
    own = members[mark]
    signs = {
        other
        for other, indexes in members.items()
        if len(indexes & own) >= SAME_TOPIC * len(indexes)
    }
    return own | {
        index
        for index in free
        if len(signs & (events[index].words | events[index].phrases)) >= SIGNS_OF_A_TOPIC
    }


def _members(events: Sequence[_Event], spelling: _Spelling) -> dict[str, set[int]]:
    """Return for each mark the events that carry it, if they are neither too few nor too many."""
    carried: defaultdict[str, set[int]] = defaultdict(set)
    said = Counter(word for event in events for word in event.words)
    few = max(FEW_EVENTS, MANY_EVENTS * len(events))
    rare = {word for word, count in said.items() if count <= few}
    for index, event in enumerate(events):
        names = {word for word in event.title if spelling.is_name(word)}
        phrases = {
            phrase
            for phrase in event.phrases
            if rare.issuperset(phrase.split()) and spelling.says_something(phrase)
        }
        for mark in names | phrases | (event.twice & rare):
            carried[mark].add(index)
    for folder, indexes in _folders(events).items():
        carried[folder] |= indexes
    return {
        mark: indexes
        for mark, indexes in carried.items()
        if len(indexes) >= FEWEST_EVENTS
        and max(len(indexes), said[mark]) <= MOST_EVENTS * len(events)
        and (len(indexes) <= few or _has_companions(mark, indexes, events))
    }


def _has_companions(mark: str, indexes: Collection[int], events: Sequence[_Event]) -> bool:
    """Whether the events that carry a mark have other words of their own."""
    said = Counter(word for event in events for word in event.words)
    inside = Counter(word for index in indexes for word in events[index].words)
    companions = [
        word
        for word, count in inside.items()
        if word not in mark.split()
        and (len(word) > 2 or is_run(word))
        and count >= FEWEST_EVENTS
        and count * len(events) > said[word] * len(indexes)
        and _association(count, said[word], len(indexes), len(events)) >= GOES_WITH
    ]
    return len(companions) >= COMPANIONS


def _association(both: int, one: int, other: int, total: int) -> float:
    """Return the log-likelihood ratio of two marks of which `both` events have both."""
    cells = (both, one - both, other - both, total - one - other + both)
    return 2 * (
        _entropy(*cells)
        + _entropy(total)
        - _entropy(one, total - one)
        - _entropy(other, total - other)
    )


def _entropy(*counts: int) -> float:
    return sum(count * math.log(count) for count in counts if count)


def _folders(events: Sequence[_Event]) -> dict[str, set[int]]:
    """Return the events in each folder of which enough say its name themselves."""
    filed: defaultdict[str, set[int]] = defaultdict(set)
    for index, event in enumerate(events):
        for folder in event.folders:
            filed[folder].add(index)
    return {
        folder: indexes
        for folder, indexes in filed.items()
        if sum(folder in events[index].words for index in indexes)
        >= FOLDER_SAYS_ITS_NAME * len(indexes)
    }


def _event(reports: Sequence[Article], spelling: _Spelling) -> _Event:
    event = _Event()
    for report in reports:
        title, summary = report.title[:TITLE_CHARACTERS], report.summary[:SUMMARY_CHARACTERS]
        folders, slug = _address(report.url)
        in_title, in_summary = spelling.read(title), spelling.read(summary)
        in_slug = list(words_of(slug))
        said = {word.stem for word in in_summary}
        event.title |= {word.stem for word in in_title if word.may_be_topic}
        event.twice |= {
            word.stem
            for word in in_title
            if word.may_be_topic and word.is_caseless and word.stem in said
        }
        event.words |= said | {word.stem for word in [*in_title, *in_slug]}
        event.phrases |= {mark for mark, _ in _phrases(title, in_title)}
        event.phrases |= {mark for mark, _ in _phrases(slug, in_slug)}
        event.folders |= {stem_of(folder) for folder in folders}
    return event


def _address(url: str) -> tuple[list[str], str]:
    """Return the folders within a folder (no dates), and the words of the page's own name."""
    try:
        *folders, page = unquote(urlsplit(url[:URL_CHARACTERS]).path).strip("/").split("/")
    except ValueError:
        return [], ""
    named = [folder for folder in folders if not folder.isdigit()]
    return named[1:], page.partition(".")[0].replace("-", " ").replace("_", " ")


class _Spelling:
    """How the words of all texts are written: as names or not, and in which form."""

    def __init__(self) -> None:
        self._forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._phrases: defaultdict[str, set[str]] = defaultdict(set)
        self._capitals: Counter[str] = Counter()
        self._uses: Counter[str] = Counter()

    def read(self, text: str) -> list[Word]:
        """Return a text's words, and remember how they are written."""
        words = list(words_of(text))
        for word in words:
            self._forms[word.stem][word.surface] += 1
        for phrase, form in _phrases(text, words):
            self._forms[phrase][form] += 1
            for part in phrase.split():
                self._phrases[part].add(phrase)
        if _tells_names(words):
            for word in words:
                before = text[: word.start].rstrip(_QUOTES)
                if before and before[-1] not in _SENTENCE_ENDS:
                    self._uses[word.stem] += 1
                    self._capitals[word.stem] += word.surface[0].isupper()
        return words

    def is_name(self, stem: str) -> bool:
        capitals = self._capitals[stem]
        return capitals >= max(FEWEST_CAPITALS, NAMES_HAVE_CAPITALS * self._uses[stem])

    def says_something(self, phrase: str) -> bool:
        """Whether a phrase has a name in it, or two words of some length: not "and its"."""
        words = phrase.split()
        return any(self.is_name(word) or is_run(word) for word in words) or all(
            len(word) >= SHORTEST_IN_PHRASE for word in words
        )

    def shown(self, mark: str) -> str:
        """Return the form in which a mark was written most often, "Swift" as "Taylor Swift"."""
        count, shown = self._most_often(mark)
        longer = [
            self._most_often(phrase) for phrase in self._phrases[mark] if self._is_one(phrase)
        ]
        return max([each for each in longer if each[0] >= USUALLY * count], default=(0, shown))[1]

    def _is_one(self, phrase: str) -> bool:
        """Whether a phrase is one name, or has no blank."""
        return all(self.is_name(part) or is_run(part) for part in phrase.split())

    def _most_often(self, mark: str) -> tuple[int, str]:
        forms = self._forms[mark]
        if not forms:
            return 0, mark
        form = max(forms, key=lambda form: (forms[form], form[0].isupper(), form))
        return forms.total(), form


def _phrases(text: str, words: Sequence[Word]) -> Iterator[tuple[str, str]]:
    """Yield the mark of each two words in a row, and how they are written."""
    for one, other in pairwise(words):
        is_phrase = not text[one.end : other.start].strip(" -") and one.stem != other.stem
        if is_phrase and one.may_be_topic and other.may_be_topic:
            yield f"{one.stem} {other.stem}", text[one.start : other.end]


def _tells_names(words: Sequence[Word]) -> bool:
    """Whether capitals tell names there: not in a headline in capitals, nor in German."""
    long = [word for word in words if len(word.surface) > 3 and not word.is_caseless]
    return sum(word.surface[0].isupper() for word in long) <= len(long) / 2
