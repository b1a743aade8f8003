"""The first rule that a story meets decides."""

from dataclasses import dataclass

import pytest

from digest.filing.matching import first_match, meets


@dataclass(frozen=True)
class Told:
    title: str = "Fed raises interest rate"
    url: str = "https://news.example.com/markets/fed"
    categories: tuple = ("Markets", "Politics & Power")
    feed_id: int | None = 1


@dataclass(frozen=True)
class Written:
    kind: str
    value: str = ""
    feed_id: int | None = None


@pytest.mark.parametrize(
    "rule",
    [
        Written("path", "/markets/"), Written("words", "interest rate"), Written("feed", "", 1),
        Written("category", "markets"), Written("category", "POLITICS  & power", 1),
    ],
)  # fmt: skip
def test_a_story_meets_a_rule(rule):
    assert meets(Told(), rule)


@pytest.mark.parametrize(
    "rule",
    [
        Written("path", "/markets/", 2), Written("words", "rates"), Written("feed", "", 2),
        Written("feed"), Written("category", "Market"), Written("category"), Written("new", "x"),
    ],
)  # fmt: skip
def test_a_story_does_not_meet_a_rule(rule):
    assert not meets(Told(), rule)


def test_the_first_rule_decides():
    rules = [Written("words", "storm"), Written("path", "/markets/"), Written("words", "fed")]

    assert first_match(Told(), rules) is rules[1]
    assert first_match(Told(title="Rain", url=""), rules) is None
