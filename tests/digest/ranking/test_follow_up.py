"""What later reports say of an event is new if two outlets say it and nobody did before."""

import pytest

from digest.ranking import Article
from digest.ranking.follow_up import brings_news, common_stems


def article(title, source="A", summary=""):
    return Article(title, summary, source)


TOLD = [article("Ferry runs aground off Hull", "A", "Forty passengers wait for help.")]
NEWS = "Captain of ferry arrested, 3 injured"


@pytest.mark.parametrize(
    ("newer", "is_new"),
    [
        ([article(NEWS, "B"), article("Police: captain of ferry was drunk, 3 injured", "C")], True),
        ([article("Ferry off Hull aground", "B"), article("Ferry runs aground", "C")], False),
        ([article(NEWS, "B")], False),
        ([article(NEWS, "B"), article("Captain was drunk, 3 injured", "B")], False),
        ([article(NEWS, "B"), article(NEWS, "C")], False),
        ([article("Ship stranded near Humber", "B"), article("Boat stuck on sand", "C")], False),
        ([article("沉船船长被捕", "B"), article("警方：船长被捕", "C")], True),
        ([], False),
    ],
    ids=["two say it", "same words", "one", "one twice", "one text twice", "other words",
         "Chinese", "none"],
)  # fmt: skip
def test_news_is_what_two_outlets_say_and_nobody_did_before(newer, is_new):
    assert brings_news(newer, TOLD, common=()) == is_new


def test_what_cannot_be_compared_is_not_new():
    newer = [article(NEWS, "B"), article(NEWS + " today", "C")]

    assert not brings_news(newer, [article("…")], common=())


def test_frequent_words_are_no_news():
    newer = [article("Ferry aground says police today", "B"), article("Police today: aground", "C")]
    common = common_stems([[article(f"Police today: {n} thefts")] for n in "abcdef"])

    assert brings_news(newer, TOLD, common=())
    assert not brings_news(newer, TOLD, common=common)
