"""A summary counts who reports an event, and who of them has a text of their own."""

from datetime import timedelta

import pytest

from digest.events.grouping import group_stories
from digest.events.summary import Summary, summaries_of, summarise
from digest.models import Story
from tests import factories
from tests.digest.events.test_grouping import QUAKE, story
from tests.factories import NOW

WIRE = (
    "At least eleven people died and hundreds lost their homes when a strong earthquake shook the "
    "north of Chile early on Tuesday, the civil protection said in Santiago."
)
OWN = (
    "Our correspondent stood in a school yard in Iquique where families slept under blankets, and "
    "listened to a teacher who had carried two of her pupils down the stairs."
)


def report(outlet, *, hours=1, text=None, pk=None):
    at = NOW - timedelta(hours=hours)
    return Story(pk=pk or hash((outlet, hours)), source_name=outlet, published_at=at, added_at=at,
                 text_number=text)  # fmt: skip


@pytest.mark.parametrize(
    ("reports", "own", "words"),
    [
        ([("A", 3, 1), ("B", 2, 1), ("C", 1, 1)], 1, "3 sources, 1 of its own reporting"),
        ([("A", 3, 1), ("B", 2, 1), ("C", 1, 7)], 2, "3 sources, 2 of their own reporting"),
        ([("A", 3, 1), ("A", 2, 7), ("B", 1, 1)], 1, "2 sources, 1 of its own reporting"),
        ([("B", 3, 1), ("A", 2, 7), ("A", 1, 1)], 2, "2 sources, 3 reports"),
        ([("A", 3, 1), ("B", 2, 7), ("C", 1, None)], 3, "3 sources, 3 reports"),
        ([("A", 3, None), ("B", 2, None)], None, "2 sources, 2 reports"),
        ([("A", 3, None)], 1, "1 source"),
    ],
)
def test_copies_of_one_text_count_once_for_who_had_it_first(reports, own, words):
    summary = summarise([report(outlet, hours=hours, text=text) for outlet, hours, text in reports])

    assert summary.own_reporting == own
    assert summary.in_words(NOW) == f"{words}, first seen 3 hours ago"


@pytest.mark.django_db
def test_grouping_finds_which_reports_have_one_text(grouped_here):
    newsletter = factories.newsletter()
    texts = (WIRE, WIRE, OWN)
    ours = [
        story(newsletter, title, source_name=f"Paper {n}", hours=n + 1)
        for n, title in enumerate(QUAKE)
    ]
    alone = story(newsletter, "Museum in Ghent returns a stolen altar panel")
    for each, text in zip(ours, texts, strict=True):
        Story.objects.filter(pk=each.pk).update(summary=text)

    group_stories(newsletter_id=newsletter.pk, now=NOW)

    found = dict(Story.objects.values_list("pk", "text_number"))
    assert [found[each.pk] for each in ours] == [ours[0].pk, ours[0].pk, ours[2].pk]
    assert found[alone.pk] is None
    (summary,) = summaries_of(Story.objects.filter(pk=ours[0].pk)).values()
    assert summary == Summary(
        sources=3, reports=3, first_at=NOW - timedelta(hours=3), own_reporting=2
    )


@pytest.mark.django_db
def test_a_summary_of_a_past_moment_knows_nothing_of_what_came_later():
    newsletter = factories.newsletter()
    first = story(newsletter, QUAKE[0], hours=7, source_name="Ledger", event=1)
    story(newsletter, QUAKE[1], hours=2, source_name="Post", event=1)

    then = summaries_of([first], until=NOW - timedelta(hours=3))
    now = summaries_of([first], until=NOW)

    assert (then[1].sources, now[1].sources) == (1, 2)
    assert summaries_of([first], until=NOW - timedelta(hours=8)) == {}
