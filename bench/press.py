"""Make up a press: outlets in seven languages, and what they report day after day.

The texts are put together from `bench/data/press.json`. Names, places and numbers are drawn, so
that whoever measures knows which reports are of one event. Of a day's reports three in ten are of
events that several report, many of them in several languages; the others stand alone. Besides there
is what comes in every feed and is no news: horoscopes, offers, briefings, and items of years ago.

Words that nobody knows stand for all that sentences from a file cannot have: the names, places and
things that differ from one report to the next. They are as frequent as words are (Zipf's law).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from itertools import accumulate
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

WORDS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "press.json").read_text("utf-8")
)
# How many of a hundred outlets write in each language.
_LANGUAGES = {"en": 40, "de": 17, "fr": 13, "es": 12, "it": 7, "pt": 6, "ru": 5}
_KINDS_OF_PAPER = ("Post", "Times", "Herald", "Globe", "Courier")
_KINDS = ("quake", "verdict", "rate", "merger", "strike", "storm", "match", "vote")
_SHARE_OF_EVENTS = 0.3
# An event is reported by at most so many, and the first reports come within hours.
_LEAST_REPORTS, _MOST_REPORTS = 2, 60
_MEAN_DELAY_HOURS = 3.0
# So many words there are in each language, and so many facts an event has, which its reports name.
_VOCABULARY, _STOP_WORDS = 20_000, 200
_FACTS = 7
# Of what stands alone, one in ten is a sentence from the file.
_SHARE_OF_SENTENCES = 0.1
# One report in five is an agency's text under a headline of the outlet's own.
_SHARE_OF_WIRE = 0.2
_ONSETS = "b bl br c cr d dr f fl g gl gr h j k kl l m n p pr qu r s st t tr v w z".split()  # noqa: SIM905
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ou"]
_CODAS = ["", "", "l", "n", "r", "s", "m", "nd", "rk", "st", "x", "t"]
_DIMENSIONS = 384
_CYRILLIC = str.maketrans(
    "abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ",
    "абцдефгхийклмнопкрстуввызАБЦДЕФГХИЙКЛМНОПКРСТУВВЫЗ",
)


@dataclass(frozen=True)
class Outlet:
    number: int
    name: str
    lang: str
    # How much it publishes, against the others.
    size: float

    @property
    def host(self) -> str:
        return f"outlet{self.number}.example.com"


@dataclass(frozen=True)
class NewsReport:
    """One entry of a feed; `event` tells which reports belong together, None that it is no news."""

    outlet: Outlet
    title: str
    summary: str
    url: str
    published: datetime
    kind: str
    event: int | None


class Press:
    """The outlets, and their reports of any number of days; the same seed tells the same."""

    def __init__(self, *, outlets: int = 300, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._events = 0
        self._pages = 0
        self._words = {lang: self._vocabulary(lang) for lang in WORDS}
        self._frequency = list(accumulate(1 / (rank + _STOP_WORDS) for rank in range(_VOCABULARY)))
        langs, weights = list(_LANGUAGES), list(_LANGUAGES.values())
        self.outlets = [
            Outlet(
                number,
                f"{self._name()} {self._random.choice(_KINDS_OF_PAPER)}",
                self._random.choices(langs, weights)[0],
                self._random.paretovariate(1.3),
            )
            for number in range(outlets)
        ]
        # The events of yesterday that go on today.
        self._going_on: list[tuple[int, str, dict[str, str], int]] = []

    def day(self, day: date, *, reports: int) -> list[NewsReport]:
        """Return about so many reports that appear in the 24 hours of that day (UTC)."""
        start = datetime.combine(day, time(0), UTC)
        found: list[NewsReport] = []
        for event, kind, names, size in self._going_on:
            found.extend(self._wave(event, kind, names, max(size // 2, 1), start, later=True))
        self._going_on = []
        while len(found) < reports * _SHARE_OF_EVENTS:
            self._events += 1
            event, kind, names = self._events, self._random.choice(_KINDS), self._names()
            size = _LEAST_REPORTS * self._random.paretovariate(0.9)
            count = min(int(size), _MOST_REPORTS)
            found.extend(self._wave(event, kind, names, count, start))
            if count > 10:
                self._going_on.append((event, kind, names, count))
        found.extend(self._standing(start))
        while len(found) < reports:
            found.append(self._alone(start))
        return sorted(found, key=lambda report: report.published)

    def _wave(
        self,
        event: int,
        kind: str,
        names: dict[str, str],
        size: int,
        start: datetime,
        *,
        later: bool = False,
    ) -> Iterator[NewsReport]:
        begins = start + timedelta(hours=self._random.random() * 22)
        # What a small event is, is known in one country.
        home = self._random.choice(list(WORDS)) if size <= 8 else None
        facts = [self._name() for _ in range(_FACTS)]
        told: dict[str, list[str]] = {}
        for outlet in self._choose(size, home):
            texts = WORDS[outlet.lang][kind]
            own = names if outlet.lang != "ru" else {k: _cyrillic(v) for k, v in names.items()}
            title = self._random.choice(texts["later" if later else "titles"]).format(**own)
            words = told.setdefault(outlet.lang, self._story(outlet.lang, facts))
            is_wire = self._random.random() < _SHARE_OF_WIRE
            body = " ".join(words if is_wire else self._random.sample(words, len(words) * 2 // 3))
            first = self._random.choice(texts["texts"]).format(**own)
            hours = self._random.expovariate(1 / _MEAN_DELAY_HOURS)
            at = min(begins + timedelta(hours=hours), start + timedelta(hours=23.99))
            yield self._report(outlet, title, f"{body}. {first}", at, kind, event)

    def _story(self, lang: str, facts: list[str]) -> list[str]:
        """Return the words in which a language tells an event."""
        names = [_cyrillic(fact) for fact in facts] if lang == "ru" else facts
        return [*names, *self._filler(lang, 24).split()]

    def _choose(self, size: int, lang: str | None) -> list[Outlet]:
        pool = [outlet for outlet in self.outlets if lang in (None, outlet.lang)]
        keys = {outlet: self._random.random() ** (1 / outlet.size) for outlet in pool}
        return sorted(pool, key=lambda outlet: keys[outlet], reverse=True)[:size]

    def _alone(self, start: datetime) -> NewsReport:
        self._events += 1
        (outlet,) = self._random.choices(self.outlets, [outlet.size for outlet in self.outlets])
        local, names = WORDS[outlet.lang]["local"], self._names()
        lang = outlet.lang
        names["thing"] = self._random.choice(local["things"])
        if outlet.lang == "ru":
            names = {k: v if k == "thing" else _cyrillic(v) for k, v in names.items()}
        title = self._filler(lang, 8)
        if self._random.random() < _SHARE_OF_SENTENCES:
            title = self._random.choice(local["titles"]).format(**names)
        other = f"{names['place']}, {names['person']}: {self._filler(lang, 20)}"
        at = start + timedelta(hours=self._random.random() * 24)
        return self._report(
            outlet, _capital(title), _capital(other) + ".", at, "local", self._events
        )

    def _standing(self, start: datetime) -> Iterator[NewsReport]:
        """Yield what is no news, of a third of the outlets, and an old item of every tenth."""
        for outlet in self.outlets:
            if outlet.number % 3 == 0:
                title = self._random.choice(WORDS[outlet.lang]["standing"]["titles"])
                at = start + timedelta(hours=5 * self._random.random())
                text = title.format(outlet=outlet.name)
                yield self._report(outlet, text, "", at, "standing", None)
            if outlet.number % 10 == 0:
                old = self._alone(start - timedelta(days=400 + outlet.number))
                yield self._report(outlet, old.title, old.summary, old.published, "old", None)

    def _report(
        self, outlet: Outlet, title: str, body: str, at: datetime, kind: str, event: int | None
    ) -> NewsReport:
        self._pages += 1
        url = f"https://{outlet.host}/{kind}/{self._pages}.html"
        return NewsReport(outlet, title, body, url, at.replace(microsecond=0), kind, event)

    def _names(self) -> dict[str, str]:
        draw = self._random
        return {
            "place": self._name(),
            "person": f"{self._name()} {self._name()}",
            "company": self._name() + draw.choice(["co", "tech", " Group", " Bank", "works"]),
            "other": self._name() + draw.choice(["soft", " Steel", "air", " Foods"]),
            "team": self._name(),
            "rival": self._name(),
            "name": self._name(),
            "n": f"{draw.randint(3, 9)}.{draw.randint(0, 9)}",
            "m": str(draw.randint(12, 990)),
        }

    def _vocabulary(self, lang: str) -> list[str]:
        words = [self._word(syllables) for syllables in self._lengths()]
        return words if lang != "ru" else [_cyrillic(word) for word in words]

    def _lengths(self) -> list[int]:
        return self._random.choices([1, 2, 3, 4], [1, 4, 4, 1], k=_VOCABULARY)

    def _filler(self, lang: str, count: int) -> str:
        words = self._random.choices(self._words[lang], cum_weights=self._frequency, k=count)
        return " ".join(words)

    def _name(self) -> str:
        return self._word(self._random.choice([2, 3])).capitalize()

    def _word(self, syllables: int) -> str:
        choose = self._random.choice
        return "".join(choose(_ONSETS) + choose(_VOWELS) + choose(_CODAS) for _ in range(syllables))


def _cyrillic(text: str) -> str:
    return text.translate(_CYRILLIC)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def rss(outlet: Outlet, reports: list[NewsReport]) -> bytes:
    """Return an outlet's feed, the newest first."""
    items = "".join(
        f"<item><title>{escape(report.title)}</title><link>{report.url}</link>"
        f"<guid>{report.url}</guid><description>{escape(report.summary)}</description>"
        f"<category>{report.kind}</category>"
        f"<pubDate>{format_datetime(report.published)}</pubDate></item>"
        for report in sorted(reports, key=lambda report: report.published, reverse=True)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{escape(outlet.name)}</title><link>https://{outlet.host}/</link>"
        f"<language>{outlet.lang}</language>{items}</channel></rss>"
    ).encode()


def vectors(reports: Sequence[NewsReport]) -> NDArray[np.float32]:
    """Return a made-up vector of each title: near to those of its event, in any language."""
    rows = []
    for number, report in enumerate(reports):
        event = np.random.default_rng([1, report.event or 0, 0 if report.event else number])
        own = np.random.default_rng([2, number])
        rows.append(0.1 + 0.036 * (event.normal(size=_DIMENSIONS) + own.normal(size=_DIMENSIONS)))
    return np.array(rows, dtype=np.float32)
